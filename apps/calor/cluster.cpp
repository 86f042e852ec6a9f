// calor-mpi: the command line that several processes run together.  The first of them reads out results and speaks; the others are silent.
#include "cluster.h"

#include <CLI/CLI.hpp>

#include <csignal>
#include <cstdio>

#include "program.h"

namespace calor::app {

static int run(int count, char** words) {
  const cluster::Session session(&count, &words);
  const bool first = session.processes().first();
  if (!first && !std::freopen("/dev/null", "w", stdout)) return static_cast<int>(Fault::internal);
  CLI::App app{"Calor in several processes: rows in blocks, similarities that come round a ring.  mpirun -n P calor-mpi run RECIPE DATA -o OUT", "calor-mpi"};
  Globals globals;
  globals.command_line = command_line_of("calor-mpi", count, words);
  add_cluster_run_command(app, globals, session);
  return run_program(app, count, words, [&](Fault fault, const std::string& text) { session.fail(static_cast<int>(fault), text, say_error); });
}

}  // namespace calor::app

int main(int count, char** words) {
  std::signal(SIGXFSZ, SIG_IGN);  // as in calor
  return calor::app::run(count, words);
}
