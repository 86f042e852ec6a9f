// calor train multi30k: a translator from a set of sentences that is known by name.
#pragma once

namespace CLI {
class App;
}

namespace calor::app {

struct Globals;

// The subcommand of `calor train`, which asks for no DATA and no options of its own beside it.
CLI::App* add_captions_command(CLI::App& train, Globals& globals);

}  // namespace calor::app
