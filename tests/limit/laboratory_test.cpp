// What run() promises: the same bits for any number of threads, errors that name the remedy, and stopping.
#include "calor/limit/laboratory.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "calor/core/error.h"
#include "calor/limit/document.h"

namespace calor::limit {
namespace {

Settings small() {
  Settings settings;
  settings.points = {200, 500, 2000};
  settings.epsilon = {0.08, 0.04, 0.02};
  settings.seeds = 3;
  settings.queries = 200;
  return settings;
}

TEST(Laboratory, same_bits_for_any_number_of_threads) {
  const std::vector<std::string> names = {"circle", "stationary", "attention", "minimiser-set"};
  Context one, three;
  one.threads = 1;
  three.threads = 3;
  EXPECT_EQ(as_json(run(names, small(), one), true), as_json(run(names, small(), three), true));
}

TEST(Laboratory, the_seed_draws_the_random_points) {
  Settings other = small();
  other.seed = 1;
  const auto first = run({"circle"}, small(), Context()), second = run({"circle"}, other, Context());
  ASSERT_EQ(first.size(), second.size());
  for (std::size_t i = 0; i < first.size(); ++i) {
    const bool random = first[i].name.find("sampling") != std::string::npos;
    EXPECT_EQ(first[i].measured != second[i].measured, random) << first[i].name;
  }
}

TEST(Laboratory, few_small_sets_are_called_too_coarse) {
  Settings settings = small();
  settings.points = {100, 200, 400};
  int coarse = 0;
  for (const Row& row : run({"sphere"}, settings, Context())) coarse += !row.pass && row.high - row.low > 2 * row.tolerance;
  EXPECT_GT(coarse, 0);
}

TEST(Laboratory, names_are_unique_and_groups_complete) {
  std::set<std::string> names;
  for (const Group& group : groups()) EXPECT_TRUE(names.insert(group.name).second && !group.meaning.empty() && !group.theorem.empty());
  EXPECT_EQ(names.size(), 16u);
  names.clear();
  for (const Row& row : run({"circle", "attention", "minimiser-set"}, small(), Context())) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_FALSE(row.plots.empty());
    EXPECT_FALSE(row.meaning.empty());
  }
}

std::pair<Fault, std::string> refused(const std::vector<std::string>& names, const Settings& settings, const Context& context = Context()) {
  try {
    run(names, settings, context);
  } catch (const Error& error) {
    return {error.fault(), error.what()};
  }
  return {Fault::internal, "no error"};
}

TEST(Laboratory, refuses_what_cannot_be_measured) {
  const auto expect = [](const std::pair<Fault, std::string>& found, Fault fault, const std::string& words) {
    EXPECT_EQ(found.first, fault) << found.second;
    EXPECT_NE(found.second.find(words), std::string::npos) << found.second;
  };
  expect(refused({"sphre"}, {}), Fault::usage, "did you mean \"sphere\"?");
  Settings settings;
  settings.seeds = 2;
  expect(refused({"circle"}, settings), Fault::usage, "3 to 1000 seeds");
  settings = small();
  settings.points = {1000, 2000};
  expect(refused({"circle"}, settings), Fault::usage, "a ladder of at least 3 numbers of points");
  settings.points = {1000, 1500, 2000};
  expect(refused({"circle"}, settings), Fault::usage, "over a factor of 4");
  settings = small();
  settings.epsilon = {0.1, 0.05, -1};
  expect(refused({"circle"}, settings), Fault::usage, "values of eps");
  settings.epsilon = {0.1, 0.05, std::nan("")};
  expect(refused({"circle"}, settings), Fault::usage, "values of eps");
  expect(refused({"torus"}, small()), Fault::usage, "expected circle or sphere");
  settings = small();
  settings.epsilon = {1e-6, 1e-5, 1e-4};
  Context little;
  little.memory = MemoryLimit(64 << 20);
  expect(refused({"sphere"}, settings, little), Fault::memory, "--epsilon");
}

TEST(Laboratory, stops_when_asked) {
  StopFlag stop;
  stop.request();
  Context context;
  context.stop = &stop;
  for (const Group& group : groups()) EXPECT_EQ(refused({group.name}, {}, context).first, Fault::interrupted) << group.name;
}

}  // namespace
}  // namespace calor::limit
