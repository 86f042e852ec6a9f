// calor apply: new points through a saved fit.
#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "calor/core/error.h"
#include "calor/core/version.h"
#include "calor/io/output.h"
#include "calor/pipeline/data.h"
#include "calor/pipeline/model.h"
#include "calor/recipes/recipes.h"
#include "command.h"
#include "pipeline_results.h"

namespace calor::app {

using nlohmann::json;

struct ApplyArguments {
  std::string model, output;
  DataOptions data;
};

static void apply(const Globals& globals, const ApplyArguments& arguments) {
  if (!arguments.output.empty()) check_output(arguments.output, {arguments.model, arguments.data.data});
  ProgressBar bar(globals.quiet);
  const Context context = make_context(globals, bar);
  const pipeline::SavedFit saved = pipeline::load_fit(arguments.model, recipes::all_stages());
  const pipeline::Data& fitted = *saved.fit.data;

  io::LoadOptions options;
  options.features = fitted.feature_names;
  options.classes = fitted.classes;
  options.labelled = !fitted.classes.empty() || !arguments.data.label.empty();
  if (!arguments.data.label.empty()) options.label = arguments.data.label;
  else if (!saved.label.empty()) options.label = saved.label;
  const io::Dataset dataset = io::load_dataset(arguments.data.data, options, context);
  const pipeline::Data points = pipeline::data_of(dataset);
  const pipeline::State state = pipeline::place(saved.fit, points.features, context);
  bar.clear();

  std::vector<std::string> labels;
  for (const std::int64_t label : points.labels) labels.push_back(label < 0 ? "" : dataset.classes[label]);
  const Table table = table_of(state, points.row_names, dataset.label, labels);
  const std::string accuracy = quality(state, points.labels, points.targets, {});
  const std::string output =
      globals.json ? dump(json{{"schema", 1},
                               {"kind", "apply"},
                               {"version", version},
                               {"command", globals.command_line},
                               {"pipeline", saved.pipeline},
                               {"fit_hash", saved.input_hash},
                               {"input_hash", dataset.hash},
                               {"rows", state.rows()},
                               {"gives", pipeline::type_names(state.type)},
                               {"result", as_json(table)}}) + "\n"
                   : as_csv(table);
  if (arguments.output.empty()) std::fwrite(output.data(), 1, output.size(), stdout);
  else io::write_file(arguments.output, output);
  if (!globals.quiet && !accuracy.empty()) fmt::print(stderr, "{}\n", accuracy);
}

void add_apply_command(CLI::App& app, Globals& globals) {
  CLI::App* command = app.add_subcommand("apply", "New points through a fit that `calor run --save` wrote");
  const auto arguments = std::make_shared<ApplyArguments>();
  command->add_option("model", arguments->model, "A fit that `calor run --save` wrote")->required()->type_name("MODEL");
  command->add_option("data", arguments->data.data, "A file with the fit's feature columns, or a bundled name")->required()->type_name("DATA");
  command->add_option("-o,--output", arguments->output, "File to write (default: standard output)")->check(not_empty);
  add_label(*command, arguments->data);
  add_globals(*command, globals);
  command->callback([&globals, arguments] { apply(globals, *arguments); });
}

}  // namespace calor::app
