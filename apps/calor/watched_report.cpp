#include "watched_report.h"

#include <algorithm>
#include <exception>
#include <filesystem>
#include <utility>

#include "calor/core/error.h"
#include "calor/io/output.h"
#include "calor/report/report.h"

namespace calor::app {

constexpr auto least_pause = std::chrono::seconds(1);
constexpr int pause_per_page = 19;  // times what the page took: a twentieth of the run goes into pages

void check_watched(const std::string& report) {
  std::error_code error;
  require(!std::filesystem::exists(report, error) || std::filesystem::is_regular_file(report, error), Fault::usage,
          "[run] expected a regular file for --report with --watch, found {}: it is rewritten while the run goes on", report);
}

WatchedReport::WatchedReport(std::string path, const pipeline::Known& known, pipeline::Pictured pictured)
    : path_(std::move(path)), known_(known), pictured_(std::move(pictured)), document_(pipeline::watch_document(pictured_)) {
  write();
}

WatchedReport::~WatchedReport() {
  if (finished_) return;
  try {
    document_["running"] = false;
    write();
  } catch (const std::exception&) {  // what ended the run is what is to be told
  }
}

bool WatchedReport::due() { return Clock::now() >= next_; }

void WatchedReport::show(const DescentState& state) {
  const auto begin = Clock::now();
  try {
    pipeline::show_descent(document_, state, known_, pictured_);
    write();
  } catch (const std::exception& error) {  // the run is worth more than its pictures
    failure_ = error.what();
  }
  const auto end = Clock::now();
  next_ = end + std::max<Clock::duration>(least_pause, pause_per_page * (end - begin));
}

void WatchedReport::finish(const std::string& report) {
  io::write_file(path_, report);
  finished_ = true;
}

void WatchedReport::write() {
  document_["seconds"] = std::chrono::duration<double>(Clock::now() - begin_).count();
  document_["written"] = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  io::write_file(path_, report::watch_page(document_));
}

}  // namespace calor::app
