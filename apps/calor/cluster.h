// calor-mpi's one command.
#pragma once

#include "calor/cluster/run.h"
#include "command.h"

namespace calor::app {

void add_cluster_run_command(CLI::App& app, Globals& globals, const cluster::Session& session);

}  // namespace calor::app
