// The commands that train, in a build without torch: they say how to get them.
#include "calor/core/error.h"
#include "command.h"

namespace calor::app {

static void refuse(CLI::App& app, const char* name, const char* summary) {
  CLI::App* command = app.add_subcommand(name, summary);
  command->allow_extras();
  command->callback([name] {
    fail(Fault::usage, "[{}] expected a build with torch, found one without: configure with -DCALOR_TORCH=ON", name);
  });
}

void add_compare_command(CLI::App& app, Globals&) { refuse(app, "compare", "Compare attentions (needs torch)"); }
void add_train_command(CLI::App& app, Globals&) { refuse(app, "train", "Train an attention model (needs torch)"); }
void add_predict_command(CLI::App& app, Globals&) { refuse(app, "predict", "Predict with a saved model (needs torch)"); }

}  // namespace calor::app
