// tune(loo, ..): what it chooses is what the stages then use, and the short forms are it.
#include <gtest/gtest.h>

#include "calor/core/error.h"
#include "calor/pipeline/bind.h"
#include "calor/pipeline/model.h"
#include "calor/pipeline/short_forms.h"
#include "labelled.h"

namespace calor::pipeline {
namespace {

std::string bound_text(const std::string& text) { return print(bind_stages(parse(text), recipes::all_stages())); }

TEST(Tune, ShortFormsAreWrittenOut) {
  EXPECT_EQ(bound_text("distance(2, to=train) | exp(loo) | row | vote"), "distance(2, to=train) | tune(loo, exp.bandwidth, exp) | row | vote");
  EXPECT_EQ(bound_text("distance(2, to=train) | exp(bandwidth=loo) | two_side(0.5, of=keys)"), "distance(2, to=train) | tune(loo, exp.bandwidth, exp) | two_side(0.5, of=keys)");
  EXPECT_EQ(bound_text("distance(2, to=train) | exp(3) | two_side(of=keys, alpha=loo) | row | vote"),
            "distance(2, to=train) | exp(3) | tune(loo, two_side.alpha, two_side(of=keys)) | row | vote");
  EXPECT_EQ(bound_text("standardise(loo) | distance(2, to=train) | exp(loo) | two_side(loo, keys) | row | vote"),
            "tune(loo, standardise.by, exp.bandwidth, two_side.alpha, standardise | distance(2, to=train) | exp | two_side(of=keys)) | row | vote");
  EXPECT_EQ(bound_text("repeat(distance(2) | exp(loo) | row | apply)"), "repeat(distance(2) | tune(loo, exp.bandwidth, exp) | row | apply)");
  for (const char* text : {"distance(2) | exp(loo) | row | apply", "standardise(loo) | distance(2) | exp(1) | row | apply"}) EXPECT_EQ(bound_text(bound_text(text)), bound_text(text));
}

// The stages with the chosen numbers give the same values, but that a row does not meet itself.
TEST(Tune, GivesWhatTheChosenNumbersGive) {
  const auto data = three_clouds(60);
  const Fit tuned = run_text("tune(loo, exp.bandwidth, two_side.alpha, distance(2, to=train) | exp | two_side(of=keys)) | row | vote", data);
  const Fit given = run_text(fmt::format("distance(2, to=train) | exp({:.17g}) | two_side({:.17g}, of=keys) | row | vote", tuned.result.figures.at("bandwidth"),
                                         tuned.result.figures.at("alpha")), data);
  const auto fresh = std::make_shared<const Matrix>(random_points(20, 3, 5));
  EXPECT_LE((place(tuned, fresh, Context()).scores - place(given, fresh, Context()).scores).cwiseAbs().maxCoeff(), 1e-12);
}

TEST(Tune, RefusesWhatItCannotChoose) {
  const auto refused = [](const std::string& words, const std::string& text) { expect_fault(Fault::usage, words, [&] { bound_text(text); }); };
  refused("did you mean \"exp.bandwidth\"", "distance(2) | tune(loo, exp.bandwith, exp) | row | apply");
  refused("expected exp.bandwidth to be chosen, found it given", "distance(2) | tune(loo, exp.bandwidth, exp(3)) | row | apply");
  refused("expected exp in the pipeline whose bandwidth is chosen", "tune(loo, exp.bandwidth, distance(2)) | exp(1) | row | apply");
  refused("write two_side(loo, of=keys)", "distance(2) | exp(1) | tune(loo, two_side.alpha, two_side) | row | apply");
  refused("leave out perplexity", "distance(2) | tune(loo, exp.bandwidth, exp(perplexity=5)) | row | apply");
  refused("expected a value for \"body\"", "distance(2) | tune(loo, exp.bandwidth)");
}

// Names of what stages keep, in files that were written with short forms.
TEST(Tune, NamesOfOldFilesAreFound) {
  const auto moved = [](const std::string& text, const std::string& name) { return expanded_name(parse(text).stages, recipes::all_stages(), name); };
  const std::string propagator = "standardise(loo) | distance(2, to=train) | exp(loo) | two_side(loo, of=keys) | row | vote";
  EXPECT_EQ(moved(propagator, "0.by"), "0.0.by");
  EXPECT_EQ(moved(propagator, "2.scale"), "0.2.scale");
  EXPECT_EQ(moved(propagator, "5.columns"), "2.columns");
  EXPECT_EQ(moved("distance(2) | exp(auto) | row", "1.scale"), "1.scale");
  EXPECT_EQ(moved("knn(3) | repeat(distance(2) | exp(loo) | row | apply)", "1.1.scale"), "1.1.0.scale");
  EXPECT_EQ(moved("knn(3) | repeat(distance(2) | exp(loo) | row | apply)", "1.moving"), "1.moving");
}

}  // namespace
}  // namespace calor::pipeline
