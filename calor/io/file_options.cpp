#include "calor/io/file_options.h"

#include "calor/core/error.h"

namespace calor::io {

bool asks_label(const LoadOptions& options) { return options.label && *options.label != "none" && (!options.known() || options.label_must_exist); }

void check_options(const FileOptions& kind, const LoadOptions& options, bool text_beside, const std::string& place) {
  const auto refuse = [&](bool taken, bool given, std::string_view option, std::string_view remedy) {
    require(taken || !given, Fault::input, "[data] expected no {} for {}, found it ({}): {}", option, kind.kind, place, remedy);
  };
  constexpr std::string_view leave_out = "leave it out";
  const bool names_none = options.names == "none";
  refuse(kind.text || text_beside, options.text.header.has_value(), "--header", leave_out);
  refuse(kind.text || text_beside, options.text.delimiter.has_value(), "--delimiter", leave_out);
  refuse(kind.text || text_beside, options.text.decimal.has_value(), "--decimal", leave_out);
  refuse(kind.text || text_beside, !options.text.encoding.empty(), "--encoding", leave_out);
  refuse(kind.label, asks_label(options), "--label", kind.label_remedy);
  require(options.labels != LabelUse::none || !asks_label(options), Fault::input, "[data] expected no --label where labels are not used, found it ({}): leave it out", place);
  refuse(kind.names, options.names && !names_none, "--names", kind.layers ? "leave it out, for obs names the rows" : leave_out);
  refuse(kind.features, !options.select.empty(), "--features", leave_out);
  refuse(kind.one_hot, !options.one_hot.empty(), "--one-hot", leave_out);
  refuse(kind.missing, options.missing != Missing::refuse, "--missing", leave_out);
  refuse(kind.layers, !options.layer.empty(), "--layer", "leave it out, for it is h5ad's");
  refuse(kind.layers, !options.obsm.empty(), "--obsm", "leave it out, for it is h5ad's");
  const bool model = options.known();
  require(!model || options.select.empty(), Fault::input, "[data] expected no --features beside a saved model, which knows its columns, found it ({}): leave it out", place);
  require(!model || options.one_hot.empty(), Fault::input, "[data] expected no --one-hot beside a saved model, which knows its categories, found it ({}): leave it out", place);
}

}  // namespace calor::io
