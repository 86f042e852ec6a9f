#include "calor/io/bundled.h"

#include <string_view>

#include <fmt/format.h>

#include "calor/io/file_options.h"
#include "calor/io/gzip.h"
#include "calor/io/hash.h"
#include "calor/io/table_data.h"
#include "calor/io/text_source.h"

// The files of data/, embedded by the build (cmake/CalorBuild.cmake).
extern "C" {
extern const unsigned char calor_data_digits[], calor_data_digits_end[];
extern const unsigned char calor_data_iris[], calor_data_iris_end[];
extern const unsigned char calor_data_wine[], calor_data_wine_end[];
extern const unsigned char calor_data_breast_cancer[], calor_data_breast_cancer_end[];
}

namespace calor::io {

const std::vector<BundledSet>& bundled_sets() {
  static const std::vector<BundledSet> sets{
      {"moons", "two interleaved half circles with noise",
       "made by Calor from seed 0, geometry of scikit-learn's make_moons", "Apache-2.0", 500, 2, 2},
      {"digits", "handwritten digits, 8 x 8 pixels of 0 to 16",
       "E. Alpaydin, C. Kaynak 1998, UCI optical recognition of handwritten digits (test part), as in scikit-learn "
       "1.2.1",
       "BSD-3-Clause", 1797, 64, 10},
      {"iris", "sepals and petals of three species of iris, in cm", "R. A. Fisher 1936, as in scikit-learn 1.2.1",
       "BSD-3-Clause", 150, 4, 3},
      {"wine", "chemical analyses of wines from three growers",
       "M. Forina et al. 1988, UCI wine recognition, as in scikit-learn 1.2.1", "BSD-3-Clause", 178, 13, 3},
      {"breast_cancer", "cell nuclei of benign and malignant breast tumours",
       "W. H. Wolberg, W. N. Street, O. L. Mangasarian 1995, UCI Wisconsin diagnostic, as in scikit-learn 1.2.1",
       "BSD-3-Clause", 569, 30, 2},
  };
  return sets;
}

namespace {

// Column names, the label last, from the descriptions that accompany the sets.
using Names = std::vector<std::string>;

Names digits_names() {
  constexpr int side = 8;
  Names names;
  for (int row = 0; row < side; ++row)
    for (int column = 0; column < side; ++column)
      names.push_back("pixel_r" + std::to_string(row) + "_c" + std::to_string(column));
  names.push_back("digit");
  return names;
}

Names iris_names() { return {"sepal_length_cm", "sepal_width_cm", "petal_length_cm", "petal_width_cm", "species"}; }

Names wine_names() {
  return {"alcohol",         "malic_acid",      "ash",        "alcalinity_of_ash",
          "magnesium",       "total_phenols",   "flavanoids", "nonflavanoid_phenols",
          "proanthocyanins", "color_intensity", "hue",        "od280_od315_of_diluted_wines",
          "proline",         "cultivar"};
}

Names breast_cancer_names() {
  Names names;
  for (const char* statistic : {"mean_", "standard_error_", "worst_"})
    for (const char* measure : {"radius", "texture", "perimeter", "area", "smoothness", "compactness", "concavity",
                                "concave_points", "symmetry", "fractal_dimension"})
      names.push_back(std::string(statistic) + measure);
  names.push_back("diagnosis");
  return names;
}

struct Embedded {
  const char* name;
  const unsigned char *begin, *end;
  Names (*names)();
};

constexpr Embedded embedded[] = {
    {"digits", calor_data_digits, calor_data_digits_end, digits_names},
    {"iris", calor_data_iris, calor_data_iris_end, iris_names},
    {"wine", calor_data_wine, calor_data_wine_end, wine_names},
    {"breast_cancer", calor_data_breast_cancer, calor_data_breast_cancer_end, breast_cancer_names},
};

}  // namespace

// A bundled set's last column is its label whatever the command.
static Dataset parse(std::string_view text, const std::string& name, const Names& names, LoadOptions options, const Context& context) {
  check_options(bundled_set, options, false, name);
  if (!options.label && options.labels == LabelUse::shown) options.label = names.back();
  TextFacts facts;
  const auto source = as_utf8(text_view(text), "", name, context, facts);
  Dataset data = data_of_text(*source, facts, names, options, name, context, std::nullopt);
  data.reading = {};
  data.reading.format = "bundled";
  return data;
}

std::optional<Dataset> load_bundled(const std::string& name, const LoadOptions& options, const Context& context) {
  Dataset data;
  if (name == "moons") {
    std::string text;
    const Dataset moons = two_moons(500, 0.2, 0);
    for (std::int64_t i = 0; i < moons.rows; ++i)
      text += fmt::format("{},{},{}\n", moons.row(i)[0], moons.row(i)[1], moons.labels[static_cast<std::size_t>(i)]);
    data = parse(text, name, {"x1", "x2", "label"}, options, context);
    data.hash = moons.hash;
  }
  for (const Embedded& file : embedded) {
    if (name != file.name) continue;
    const std::string_view bytes(reinterpret_cast<const char*>(file.begin), static_cast<std::size_t>(file.end - file.begin));
    data = parse(is_gzip(bytes) ? gunzip(bytes, name, context) : std::string(bytes), name, file.names(), options, context);
    data.hash = sha256(bytes);
  }
  if (data.rows == 0) return {};
  data.name = data.source = name;
  return data;
}

}  // namespace calor::io
