// Sets of surfaces with labels: where the files are found, what their labels are of, and what is refused with its place.
#include "calor/io/surface_set.h"

#include <filesystem>

#include "temporary_folder.h"

namespace calor::io {
namespace {

const std::string tetrahedron = "OFF\n4 4 0\n1 1 1\n1 -1 -1\n-1 1 -1\n-1 -1 1\n3 0 1 2\n3 0 3 1\n3 0 2 3\n3 1 3 2\n";
const std::string triangle = "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n";
const std::string two = "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 1 1 0\nv 2 2 0\nf 1 2 3\nf 2 4 3\n";  // a point without a triangle

class Surfaces : public TemporaryFolder {
 protected:
  Surfaces() {
    for (const char* folder : {"m", "l", "m/deep"}) std::filesystem::create_directory(path(folder));
  }
  SurfaceSet load(const std::string& source, const std::string& labels = "", const KnownLabels* known = nullptr) const {
    return load_surfaces(source, labels, known, Context());
  }
};

TEST_F(Surfaces, OfAFolderInTheOrderOfNames) {
  write("m/b.off", tetrahedron);
  write("m/a.obj", two);
  write("m/notes.txt", "nothing of triangles\n");
  write("l/a.txt", "10\n9\n");
  write("l/b.txt", "9\n9\n10\n\n2\n");
  write("l/c.txt", "another's\n");
  const SurfaceSet set = load(path("m"), path("l"));
  ASSERT_EQ(set.size(), 2);
  EXPECT_EQ(set.meshes[0].name, "a");
  EXPECT_EQ(set.meshes[1].name, "b");
  EXPECT_EQ(set.classes, (Strings{"2", "9", "10"}));
  EXPECT_EQ(set.labels, (std::vector<Labels>{{2, 1}, {1, 1, 2, 0}}));
  EXPECT_TRUE(set.of_faces);  // a tells; a tetrahedron has as many triangles as points
  EXPECT_EQ(set.name, "m");
  EXPECT_EQ(set.rows(), 6);
  EXPECT_EQ(reading_line(set), "read 2 surfaces, 9 points and 6 triangles (OBJ, OFF; 3 classes of triangles)");
  EXPECT_NE(set.hash, load(path("m")).hash);
}

TEST_F(Surfaces, LabelsOfPoints) {
  write("m/a.obj", two);
  write("l/a.lab", "x\ny\nx\ny\nx\n");
  const SurfaceSet set = load(path("m/a.obj"), path("l/a.lab"));
  EXPECT_FALSE(set.of_faces);
  EXPECT_EQ(set.labels, (std::vector<Labels>{{0, 1, 0, 1, 0}}));
  const KnownLabels known{{"z", "y", "x"}, false};
  EXPECT_EQ(load(path("m"), path("l"), &known).labels, (std::vector<Labels>{{2, 1, 2, 1, 2}}));
}

TEST_F(Surfaces, LabelsAreOfTheFilesFaces) {
  // A degenerate face and a quad among triangles: labels and numbers stay those of the file.
  write("m/a.obj", "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 1 1 0\nv 2 2 0\nv 3 3 1\nf 1 1 2\nf 1 2 4 3\nf 3 4 5\n");
  write("l/a.txt", "9\n5\n7\n");
  const SurfaceSet set = load(path("m"), path("l"));
  EXPECT_TRUE(set.of_faces);
  EXPECT_EQ(set.meshes[0].face_of, (std::vector<std::int32_t>{1, 1, 2}));
  EXPECT_EQ(set.meshes[0].file_faces, 3);
  EXPECT_EQ(set.classes, (Strings{"5", "7", "9"}));
  EXPECT_EQ(set.labels, (std::vector<Labels>{{0, 0, 1}}));
  EXPECT_EQ(reading_line(set), "read 1 surface, 6 points and 3 triangles (OBJ; 3 classes of triangles; 1 face cut; 1 degenerate triangle left out)");
}

TEST_F(Surfaces, WholeNumbersAreTheSameHoweverTheyAreWritten) {
  write("m/a.obj", two);
  write("l/a.txt", "\xEF\xBB\xBF" "1.0\n1\n");
  EXPECT_EQ(load(path("m"), path("l")).classes, (Strings{"1"}));
  write("l/a.txt", "-0\n1.5\n");
  EXPECT_EQ(load(path("m"), path("l")).classes, (Strings{"0", "1.5"}));
  write("l/a.txt", "01\n1\n");
  EXPECT_EQ(load(path("m"), path("l")).classes.size(), 2u);
  write("l/a.txt", "1 0.5\n1 0.7\n");
  expect_error(Fault::input, {"expected one label on each line, found \"1 0.5\"", "a.txt, line 1"}, [&] { load(path("m"), path("l")); });
}

TEST_F(Surfaces, AFileWithAMeshsNameIsNeverLeftOut) {
  std::string commented(5000, '#');
  commented += "\n";
  commented += two;
  write("m/a.obj", commented);
  EXPECT_EQ(load(path("m")).size(), 1);
  EXPECT_EQ(load(path("m/a.obj")).size(), 1);
  write("m/b.obj", "");
  expect_error(Fault::input, {"b.obj"}, [&] { load(path("m")); });
  write("m/b.obj", "vn 0 0 1\n" + triangle);
  EXPECT_EQ(load(path("m")).size(), 2);
  std::filesystem::create_symlink("loop", path("m/loop"));
  EXPECT_EQ(load(path("m")).size(), 2);
}

TEST_F(Surfaces, AsManyFacesAsPointsAreWhatIsKnown) {
  write("m/a.off", tetrahedron);
  write("l/a.txt", "1\n2\n1\n2\n");
  EXPECT_TRUE(load(path("m"), path("l")).of_faces);
  const KnownLabels points{{"1", "2"}, false}, faces{{"1", "2"}, true};
  EXPECT_FALSE(load(path("m"), path("l"), &points).of_faces);
  EXPECT_TRUE(load(path("m"), path("l"), &faces).of_faces);
}

TEST_F(Surfaces, OfAList) {
  write("m/deep/b.off", tetrahedron);
  write("m/a.obj", two);
  const std::string list = write("m/train.txt", "b.off\n\na.obj\n");
  const SurfaceSet set = load(list);
  ASSERT_EQ(set.size(), 2);
  EXPECT_EQ(set.meshes[0].name, "b");
  EXPECT_EQ(set.name, "train");
  EXPECT_FALSE(set.labelled());
  write("m/missing.txt", "a.obj\nq.obj\n");
  expect_error(Fault::input, {"expected a list of meshes, and the file \"q.obj\" beside it or in one folder beside it, found no such file", "missing.txt, line 2"}, [&] { load(path("m/missing.txt")); });
}

TEST_F(Surfaces, WhatDoesNotFitIsRefused) {
  write("m/a.obj", two);
  write("m/t.obj", triangle + "f 3 2 1\n");  // two triangles of three points
  expect_error(Fault::input, {"found nothing at", "check the name"}, [&] { load(path("none")); });
  expect_error(Fault::input, {"found nothing at", "check the name"}, [&] { load(path("m"), path("none")); });
  expect_error(Fault::input, {"expected a folder with meshes", path("l")}, [&] { load(path("l")); });
  expect_error(Fault::input, {"expected a file of labels a.txt, found none"}, [&] { load(path("m"), path("l")); });
  write("l/a.txt", "1\n2\n3\n");
  expect_error(Fault::input, {"expected a label for each of 2 faces or each of 5 points of a, found 3"}, [&] { load(path("m"), path("l")); });
  write("l/a.txt", "1\n2\n");
  write("l/t.txt", "1\n2\n3\n");
  expect_error(Fault::input, {"expected labels of faces as in", "a.txt, found those of points", "t.txt"}, [&] { load(path("m"), path("l")); });
  expect_error(Fault::input, {"expected a folder with a file of labels for each of 2 surfaces"}, [&] { load(path("m"), path("l/a.txt")); });
  write("l/t.txt", "1\n2\n");
  const KnownLabels known{{"1", "3"}, true};
  expect_error(Fault::input, {"expected a class that training has (1, 3), found \"2\"", "a.txt, line 2"}, [&] { load(path("m"), path("l"), &known); });
  write("l/a.seg", "1\n2\n");
  EXPECT_EQ(load(path("m"), path("l")).rows(), 4);  // .txt goes before others
  std::filesystem::remove(path("l/a.txt"));
  write("l/a.lab", "1\n2\n");
  expect_error(Fault::input, {"expected one file of labels for a, found"}, [&] { load(path("m"), path("l")); });
  write("m/a.off", tetrahedron);
  expect_error(Fault::input, {"expected surfaces of different names, found a twice"}, [&] { load(path("m")); });
  write("m/a.off", "OFF\n4 4 0\n1 1 1\n");
  expect_error(Fault::input, {"a.off"}, [&] { load(path("m")); });
}

}  // namespace
}  // namespace calor::io
