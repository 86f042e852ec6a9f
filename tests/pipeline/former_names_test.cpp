// Parameters by the names that they had: accepted in pipelines, settings and saved models, remarked on once, printed by the new name.
#include <gtest/gtest.h>

#include <cstdio>

#include "calor/io/safetensors.h"
#include "calor/core/error.h"
#include "calor/pipeline/model.h"
#include "support.h"

namespace calor::pipeline {
namespace {

const char* const former = "repeat(distance(2) | exp(1) | row | apply, until=0.01, most=500)";
const char* const present = "repeat(distance(2) | exp(1) | row | apply, tolerance=0.01, max_iterations=500)";

std::string canonical(const std::string& text, const std::vector<std::string>& settings = {}) {
  return print(bind_stages(recipes::resolve(text, settings), recipes::all_stages()));
}

std::string message_of(const std::string& text) {
  try {
    canonical(text);
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::usage) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return "";
}

std::vector<std::string> remarks(const std::vector<Note>& notes) {
  std::vector<std::string> texts;
  for (const Note& note : notes)
    if (note.text.find("is now called") != std::string::npos) texts.push_back("[" + note.stage + "] " + note.text);
  return texts;
}

const std::vector<std::string> both{"[repeat] until is now called tolerance", "[repeat] most is now called max_iterations"};

TEST(FormerNames, AreAcceptedAndPrintedByTheNewOnes) {
  EXPECT_EQ(canonical(former), present);
  EXPECT_EQ(canonical(present), present);
  EXPECT_EQ(canonical("distance(2) | exp(1) | sinkhorn(iterations=9)"), "distance(2) | exp(1) | sinkhorn(max_iterations=9)");
  EXPECT_EQ(canonical("centres(3, most=0) | assign"), "centres(3, max_iterations=0) | assign");
  EXPECT_EQ(canonical("distance(1) | match(distance, stress, until=1e-6, most=9)"), "distance(1) | match(distance, stress, tolerance=1e-06, max_iterations=9)");
  EXPECT_EQ(canonical("distance(2) | exp(1) | implicit(2, until=1e-6, most=9)"), "distance(2) | exp(1) | implicit(2, tolerance=1e-06, max_iterations=9)");
  EXPECT_EQ(canonical("repeat(repeat(distance(2) | exp(1) | row | apply, until=0.1) | distance(2) | exp(1) | row | apply, most=7)"),
            "repeat(repeat(distance(2) | exp(1) | row | apply, tolerance=0.1) | distance(2) | exp(1) | row | apply, max_iterations=7)");
  const std::vector<BoundStage> bound = bind_stages(parse(former), recipes::all_stages());
  EXPECT_EQ(bound[0].arguments.number("tolerance"), 0.01);
  EXPECT_EQ(bound[0].arguments.integer("max_iterations"), 500);
}

TEST(FormerNames, GiveTheSameResultAndOneRemarkEach) {
  const Matrix points = random_points(40, 2, 3);
  const Fit old = run_text(former, points), now = run_text(present, points);
  EXPECT_EQ(*old.result.points, *now.result.points);
  EXPECT_EQ(remarks(old.result.notes), both);
  EXPECT_TRUE(remarks(now.result.notes).empty());
  const Fit nested = run_text("repeat(repeat(distance(2) | exp(1) | row | apply, until=0.1) | distance(2) | exp(1) | row | apply, until=0.1)", points);
  EXPECT_EQ(remarks(nested.result.notes), std::vector<std::string>{both[0]}) << "once, however often it is repeated and written";
}

TEST(FormerNames, SetAParameter) {
  const std::vector<std::string> settings{"repeat.until=0.01", "repeat.most=500"};
  const std::string plain = "repeat(distance(2) | exp(1) | row | apply)";
  EXPECT_EQ(canonical(plain, settings), present);
  EXPECT_EQ(canonical("repeat(distance(2) | exp(1) | row | apply, 0.5, 3)", settings), present) << "where it stood by position";
  EXPECT_EQ(canonical("repeat(distance(2) | exp(1) | row | apply, max_iterations=3)", {"repeat.most=500"}),
            "repeat(distance(2) | exp(1) | row | apply, max_iterations=500)");
  EXPECT_EQ(canonical("repeat(distance(2) | exp(1) | row | apply, most=3)", {"repeat.max_iterations=500"}),
            "repeat(distance(2) | exp(1) | row | apply, max_iterations=500)");
  for (const std::string& text : {plain, std::string(present), std::string("repeat(distance(2) | exp(1) | row | apply, 0.5, 3)")}) {
    const Fit fitted = fit(bind_stages(recipes::resolve(text, settings), recipes::all_stages()), data_of_points(random_points(20, 2, 3)), 0, Context());
    EXPECT_EQ(remarks(fitted.result.notes), both) << text;
  }
}

TEST(FormerNames, BesideTheNewOneAreRefused) {
  const std::string refusal = "[repeat] expected \"max_iterations\" once, found it under its former name \"most\" too: leave that out\n";
  EXPECT_EQ(message_of("repeat(distance(2) | exp(1) | row | apply, most=3, max_iterations=4)").rfind(refusal, 0), 0u);
  EXPECT_EQ(message_of("repeat(distance(2) | exp(1) | row | apply, max_iterations=4, most=3)").rfind(refusal, 0), 0u);
  EXPECT_EQ(message_of("repeat(distance(2) | exp(1) | row | apply, 0.1, 4, most=3)").rfind(refusal, 0), 0u);
  const std::string twice = message_of("repeat(distance(2) | exp(1) | row | apply, tolerance=1, tolerance=1)");
  EXPECT_NE(twice.find("expected \"tolerance\" once, found it twice"), std::string::npos) << twice;
}

TEST(FormerNames, BelongToTheirOwnStage) {
  EXPECT_NE(message_of("knn(5, most=3)").find("[knn] expected a parameter, found \"most\""), std::string::npos);
  EXPECT_THROW(recipes::resolve("isomap", {"knn.most=3"}), Error);
}

TEST(FormerNames, OfASavedModelStillApply) {
  const Matrix points = random_points(40, 2, 3);
  const std::string path = ::testing::TempDir() + "calor_former_names.calor";
  SavedFit saved{run_text(present, points), present, "0", "", ""};
  save_fit(path, saved);
  io::Safetensors file = io::read_safetensors(path);
  file.metadata["pipeline"] = former;  // as an earlier version wrote it
  io::write_safetensors(path, file);
  const SavedFit loaded = load_fit(path, recipes::all_stages());
  std::remove(path.c_str());
  EXPECT_EQ(loaded.pipeline, present);
  const Matrix new_points = random_points(5, 2, 4);
  const State placed = place(loaded.fit, std::make_shared<const Matrix>(new_points), Context());
  EXPECT_EQ(*placed.points, *place(saved.fit, std::make_shared<const Matrix>(new_points), Context()).points);
  EXPECT_EQ(remarks(placed.notes), both);
}

}  // namespace
}  // namespace calor::pipeline
