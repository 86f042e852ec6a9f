#include <nlohmann/json.hpp>

#include "calor/api/pipeline.h"
#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/io/output.h"
#include "calor/pipeline/page.h"
#include "calor/report/report.h"

namespace calor {

static pipeline::Known known_of(const pipeline::Data& data, const Shown& shown) {
  pipeline::Known known{data.features, data.labels, data.classes, data.targets, {}};
  if (!shown.labels.empty()) {
    require(static_cast<std::int64_t>(shown.labels.size()) == data.rows(), Fault::input, "[report] expected {} labels, found {}", data.rows(), shown.labels.size());
    known.labels = shown.labels;
    known.classes = shown.classes;
  }
  for (const std::uint8_t mark : data.train) known.judged.push_back(!mark);
  return known;
}

void Fit::report(const std::string& path, const Shown& shown, const Session& session) const {
  const pipeline::State& state = std::visit([](const auto& value) -> const pipeline::State& { return value.state(); }, result());
  const pipeline::Fit& fit = saved_->fit;
  const Context context = session.context();
  const pipeline::Known known = known_of(*fit.data, shown);
  double seconds = 0;
  for (const pipeline::StageTime& time : fit.times) seconds += time.seconds;
  const std::string read = fmt::format("{} x {}", counted(fit.data->rows(), "row"), counted(fit.data->columns(), "feature"));
  nlohmann::json document = pipeline::run_document(saved_->pipeline, {shown.command, saved_->input_hash, fit.seed, seconds, {{"line", read}}}, state, state.notes);
  document["stages"] = pipeline::stages_json(fit.stages, fit.times);
  pipeline::judge(document, pipeline::quality_of(state, fit.stages, known, context));
  const pipeline::Pictured pictured{shown.title, shown.data, shown.label, fit.data->row_names, fit.data->feature_names};
  io::write_file(path, report::run_page(pipeline::page_document(std::move(document), state, known, pictured, context)));
}

}  // namespace calor
