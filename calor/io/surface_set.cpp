#include "calor/io/surface_set.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <filesystem>
#include <map>
#include <numeric>
#include <optional>
#include <set>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/io/hash.h"
#include "calor/io/labels.h"
#include "calor/io/lines.h"
#include "calor/io/number.h"

namespace calor::io {
namespace {

namespace fs = std::filesystem;

constexpr const char* op = "surfaces";

// Lines that are not blank, and where they stand.
struct Lines {
  std::vector<std::string> text;
  std::vector<std::int64_t> place;  // from 1
  std::string hash;
};

Lines lines_of(const std::string& path, const char* expected, const Context& context) {
  TextLines all = read_lines(path, op, expected, context);
  Lines lines;
  for (std::size_t k = 0; k < all.lines.size(); ++k) {
    if (trim(all.lines[k]).empty()) continue;
    lines.text.emplace_back(trim(all.lines[k]));
    lines.place.push_back(static_cast<std::int64_t>(k + 1));
  }
  lines.hash = std::move(all.hash);
  return lines;
}

// What lies in a folder, by name; links that lead nowhere are left out.
std::vector<fs::path> found_in(const fs::path& folder, bool folders) {
  std::vector<fs::path> found;
  std::error_code error;
  fs::directory_iterator at(folder, error);
  require(!error, Fault::input, "[{}] expected a folder that can be read, found {} ({})", op, error.message(), folder.string());
  for (; at != fs::directory_iterator(); at.increment(error)) {
    std::error_code of_entry;
    if (folders ? at->is_directory(of_entry) : at->is_regular_file(of_entry)) found.push_back(at->path());
    if (error) break;
  }
  std::sort(found.begin(), found.end());
  return found;
}

// A file of a list: beside it, or in a folder beside it.
std::string found_beside(const fs::path& list, const std::string& name, std::int64_t line) {
  const fs::path folder = list.parent_path().empty() ? "." : list.parent_path();
  std::vector<fs::path> found;
  std::error_code error;
  if (fs::is_regular_file(folder / name, error)) return (folder / name).string();
  for (const fs::path& inner : found_in(folder, true))
    if (fs::is_regular_file(inner / name, error)) found.push_back(inner / name);
  require(found.size() == 1, Fault::input, "[{}] expected a list of meshes, and the file \"{}\" beside it or in one folder beside it, found {} ({}, line {})", op, name,
          found.empty() ? "no such file" : "several", list.string(), line);
  return found.front().string();
}

std::vector<std::string> mesh_files(const std::string& source, const Context& context) {
  std::error_code error;
  if (fs::is_directory(source, error)) {
    std::vector<std::string> meshes;
    for (const fs::path& file : found_in(source, false))
      if (has_mesh_name(file.string()) || is_mesh_file(file.string())) meshes.push_back(file.string());
    require(!meshes.empty(), Fault::input, "[{}] expected a folder with meshes (OFF, OBJ, PLY or STL), found none in {}", op, source);
    return meshes;
  }
  if (has_mesh_name(source) || is_mesh_file(source)) return {source};
  const Lines list = lines_of(source, "a mesh, a folder of meshes, or a list of their files", context);
  std::vector<std::string> meshes;
  for (std::size_t k = 0; k < list.text.size(); ++k) meshes.push_back(found_beside(source, list.text[k], list.place[k]));
  return meshes;
}

// The file of a mesh's labels, by its name.
std::map<std::string, std::vector<std::string>> label_files(const std::string& folder) {
  std::map<std::string, std::vector<std::string>> files;
  for (const fs::path& file : found_in(folder, false)) files[bare_name(file.string())].push_back(file.string());
  return files;
}

std::string labels_of(const std::map<std::string, std::vector<std::string>>& files, const std::string& mesh, const std::string& folder) {
  const auto found = files.find(mesh);
  require(found != files.end(), Fault::input, "[{}] expected a file of labels {}.txt, found none in {}: name the folder that has them", op, mesh, folder);
  if (found->second.size() == 1) return found->second.front();
  for (const std::string& file : found->second)
    if (fs::path(file).extension() == ".txt") return file;
  fail(Fault::input, "[{}] expected one file of labels for {}, found {} in {}", op, mesh, list_names(found->second, 4), folder);
}

// The labels of all meshes as texts, and whether they are of faces.
struct Found {
  std::vector<Lines> texts;
  std::vector<std::string> files;
  bool of_faces = true;
};

// Whole numbers as they are usually written: "1.0" and "+1" are "1", but "01" is itself.
std::string canonical(const std::string& label) {
  const auto number = parse_number(label);
  if (!number || *number != std::floor(*number) || std::abs(*number) > 1e15) return label;
  const std::size_t digit = label.find_first_of("0123456789");
  if (digit + 1 < label.size() && label[digit] == '0' && std::isdigit(static_cast<unsigned char>(label[digit + 1]))) return label;
  return fmt::format("{:.0f}", *number == 0 ? 0.0 : *number);
}

Lines label_lines(const std::string& file, const Context& context) {
  Lines lines = lines_of(file, "a label on each line", context);
  for (std::size_t k = 0; k < lines.text.size(); ++k) {
    require(lines.text[k].find_first_of(" \t,;") == std::string::npos, Fault::input, "[{}] expected one label on each line, found \"{}\" ({}, line {})", op, lines.text[k], file, lines.place[k]);
    lines.text[k] = canonical(lines.text[k]);
  }
  return lines;
}

Found read_labels(const SurfaceSet& set, const std::string& labels, const KnownLabels* known, const Context& context) {
  Found found;
  std::error_code error;
  const bool folder = fs::is_directory(labels, error);
  require(folder || set.size() == 1, Fault::input, "[{}] expected a folder with a file of labels for each of {} surfaces, found a file ({})", op, set.size(), labels);
  const auto files = folder ? label_files(labels) : std::map<std::string, std::vector<std::string>>();
  std::optional<bool> of_faces;
  std::string first;
  for (const Mesh& mesh : set.meshes) {
    context.check_stop(op);
    const std::string file = folder ? labels_of(files, mesh.name, labels) : labels;
    Lines lines = label_lines(file, context);
    const auto count = static_cast<std::int64_t>(lines.text.size());
    require(count == mesh.file_faces || count == mesh.nodes(), Fault::input, "[{}] expected a label for each of {} or each of {} of {}, found {} ({})", op, counted(mesh.file_faces, "face"),
            counted(mesh.nodes(), "point"), mesh.name, grouped_digits(count), file);
    if (mesh.file_faces != mesh.nodes()) {
      const bool faces = count == mesh.file_faces;
      require(!of_faces || *of_faces == faces, Fault::input, "[{}] expected labels of {} as in {}, found those of {} ({})", op, *of_faces ? "faces" : "points", first,
              faces ? "faces" : "points", file);
      if (!of_faces) first = file;
      of_faces = faces;
    }
    found.texts.push_back(std::move(lines));
    found.files.push_back(file);
  }
  found.of_faces = of_faces.value_or(!known || known->of_faces);
  return found;
}

void set_labels(SurfaceSet& set, const Found& found, const KnownLabels* known) {
  if (known) {
    set.classes = known->classes;
  } else {
    std::set<std::string> different;
    for (const Lines& lines : found.texts) different.insert(lines.text.begin(), lines.text.end());
    set.classes.assign(different.begin(), different.end());
    sort_classes(set.classes);
  }
  set.of_faces = found.of_faces;
  std::map<std::string, std::int64_t> number;
  for (std::size_t c = 0; c < set.classes.size(); ++c) number[set.classes[c]] = static_cast<std::int64_t>(c);
  for (std::size_t m = 0; m < found.texts.size(); ++m) {
    std::vector<std::int64_t> given;
    for (std::size_t k = 0; k < found.texts[m].text.size(); ++k) {
      const auto at = number.find(found.texts[m].text[k]);
      require(at != number.end(), Fault::input, "[{}] expected a class that training has ({}), found \"{}\" ({}, line {})", op, list_names(set.classes, 10), found.texts[m].text[k], found.files[m],
              found.texts[m].place[k]);
      given.push_back(at->second);
    }
    std::vector<std::int64_t>& labels = set.labels.emplace_back();
    if (!set.of_faces) labels = std::move(given);
    else
      for (const std::int32_t face : set.meshes[m].face_of) labels.push_back(given[static_cast<std::size_t>(face)]);
  }
}

}  // namespace

std::int64_t SurfaceSet::rows() const {
  if (labels.empty()) return std::accumulate(meshes.begin(), meshes.end(), std::int64_t{0}, [](std::int64_t sum, const Mesh& mesh) { return sum + mesh.faces(); });
  return std::accumulate(labels.begin(), labels.end(), std::int64_t{0}, [](std::int64_t sum, const auto& each) { return sum + static_cast<std::int64_t>(each.size()); });
}

SurfaceSet load_surfaces(const std::string& source, const std::string& labels, const KnownLabels* known, const Context& context) {
  std::error_code error;
  require(fs::exists(source, error), Fault::input, "[{}] expected a mesh, a folder of meshes, or a list of their files, found nothing at {}: check the name", op, source);
  require(labels.empty() || fs::exists(labels, error), Fault::input, "[{}] expected a folder of labels, found nothing at {}: check the name", op, labels);
  SurfaceSet set;
  set.source = source;
  set.name = bare_name((fs::path(source).has_filename() ? fs::path(source) : fs::path(source).parent_path()).string());
  const std::vector<std::string> files = mesh_files(source, context);
  require(!files.empty(), Fault::input, "[{}] expected a mesh, found an empty list ({})", op, source);
  set.files = files;
  if (fs::is_regular_file(source, error)) set.files.push_back(source);
  Sha256 hash;
  std::set<std::string> names;
  for (const std::string& file : files) {
    context.advance(static_cast<double>(set.size()), static_cast<double>(files.size()), "reading surfaces");
    context.check_stop(op);
    set.meshes.push_back(load_mesh(file, context));
    hash.add(set.meshes.back().hash);
    require(names.insert(set.meshes.back().name).second, Fault::input, "[{}] expected surfaces of different names, found {} twice ({})", op, set.meshes.back().name, file);
  }
  if (!labels.empty()) {
    const Found found = read_labels(set, labels, known, context);
    set.files.insert(set.files.end(), found.files.begin(), found.files.end());
    for (const Lines& lines : found.texts) hash.add(lines.hash);
    set_labels(set, found, known);
  } else if (known) {
    set.classes = known->classes;
    set.of_faces = known->of_faces;
  }
  set.hash = hash.hex();
  return set;
}

std::string reading_line(const SurfaceSet& set) {
  std::int64_t points = 0, faces = 0, left_out = 0, cut = 0;
  std::set<std::string> formats;
  for (const Mesh& mesh : set.meshes) {
    points += mesh.nodes(), faces += mesh.faces(), left_out += mesh.degenerate, cut += mesh.cut;
    formats.insert(mesh.format);
  }
  std::string text = fmt::format("read {}, {} and {} ({}", counted(set.size(), "surface"), counted(points, "point"), counted(faces, "triangle"), fmt::join(formats, ", "));
  if (set.labelled()) text += fmt::format("; {} classes of {}", set.classes.size(), set.of_faces ? "triangles" : "points");
  if (cut > 0) text += fmt::format("; {} cut", counted(cut, "face"));
  if (left_out > 0) text += fmt::format("; {} left out", counted(left_out, "degenerate triangle"));
  return text + ")";
}

}  // namespace calor::io
