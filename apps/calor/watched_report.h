// run --watch: the report's file while the run goes on.
#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>

#include "calor/core/descent_observer.h"
#include "calor/pipeline/page.h"

namespace calor::app {

// Throws Fault::usage for a report that cannot be rewritten: a pipe or a device.
void check_watched(const std::string& report);

// Writes a page that reloads itself and shows a descent as it goes on, to be replaced by the report.  A run that leaves without one leaves a page
// that says so and does not reload.
class WatchedReport : public DescentObserver {
 public:
  // Writes the first page, before there is anything to draw: throws as io::write_file.
  WatchedReport(std::string path, const pipeline::Known& known, pipeline::Pictured pictured);
  ~WatchedReport() override;
  WatchedReport(const WatchedReport&) = delete;
  WatchedReport& operator=(const WatchedReport&) = delete;

  bool due() override;
  // A page that cannot be written is left out, and the next one tried in its turn.
  void show(const DescentState& state) override;
  // The report in the place of the page: throws as io::write_file.
  void finish(const std::string& report);
  // Why a page could not be written; "" where all were.
  const std::string& failure() const { return failure_; }

 private:
  using Clock = std::chrono::steady_clock;
  void write();

  std::string path_;
  const pipeline::Known& known_;
  pipeline::Pictured pictured_;
  nlohmann::json document_;
  Clock::time_point begin_ = Clock::now(), next_ = begin_;
  std::string failure_;
  bool finished_ = false;
};

}  // namespace calor::app
