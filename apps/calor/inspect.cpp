// calor inspect: what a trained attention head does, from its weights and real tokens.
#include "calor/inspect/inspect.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/core/version.h"
#include "calor/io/hash.h"
#include "calor/io/output.h"
#include "calor/report/report.h"
#include "command.h"

namespace calor::app {

using nlohmann::json;

struct InspectArguments {
  std::string model, tokens, text, tokeniser, report;
  inspect::InspectOptions options;
  bool text_given = false;
};

// A number or "-" where there is none.
static std::string figure(const json& value, const char* format = "{:.3g}") {
  return value.is_number() ? fmt::format(fmt::runtime(format), value.get<double>()) : "-";
}

// A token on one line: blanks and line ends visible, cut to a width of its characters.
static std::string shown(const std::string& name, std::size_t most) {
  std::string text;
  std::size_t characters = 0;
  for (const char c : name) {
    if ((static_cast<unsigned char>(c) & 0xC0) != 0x80 && ++characters > most) return text + "..";
    text += c == '\n' ? std::string("\\n") : c == '\t' ? std::string("\\t") : std::string(1, static_cast<unsigned char>(c) < 32 ? '?' : c);
  }
  return text;
}

static std::string token_name(const json& document, std::int64_t number) {
  const json& names = document["tokens"]["names"];
  const auto at = static_cast<std::size_t>(number - 1);
  return at < names.size() ? fmt::format("{} \"{}\"", number, shown(names[at].get<std::string>(), 16)) : std::to_string(number);
}

static std::string with_null(const json& defects, const char* name) {
  std::string text = figure(defects[name]);
  if (defects["null"].is_object()) text += fmt::format(" ({})", figure(defects["null"][name]["middle"], "{:.2g}"));
  return text;
}

static void print_heads(const json& document) {
  fmt::print("{:<7}{:<17}{:<17}{:<17}{:>7}{:>8}{:>9}{:>9}{:>9}{:>10}{:>9}{:>6}{:>11}{:>9}\n", "head", "symmetry(null)", "euclid(null)", "triangle(null)", "neighb",
             "self", "gini", "drift", "explain", "contract", "gap", "slow", "Lipschitz", "bound");
  for (const json& head : document["heads"]) {
    const json &attention = head["attention"], &step = head["step"], &modes = head["modes"];
    fmt::print("{:<7}{:<17}{:<17}{:<17}{:>7}{:>8}{:>9}{:>9}{:>9}{:>10}{:>9}{:>6}{:>11}{:>9}\n",
               fmt::format("{}.{}", head["layer"].get<std::int64_t>(), head["head"].get<std::int64_t>()), with_null(head["defects"], "symmetry"),
               with_null(head["defects"], "euclidean"), with_null(head["defects"], "triangle"), figure(attention["effective_neighbours"]),
               figure(attention["self_weight"], "{:.2g}"), figure(attention["gini"], "{:.2g}"), figure(step["drift_share"], "{:.2g}"),
               figure(step["explained"], "{:.2g}"), figure(step["contraction"], "{:.2g}"), figure(modes["gap"], "{:.2g}"), modes["slow"].get<std::int64_t>(),
               figure(head["lipschitz"]["measured"]), figure(head["lipschitz"]["bound"]));
  }
}

// The heads' states in words: where tokens jump to, where attention gathers, which tokens stay together.
static void print_words(const json& document) {
  for (const json& head : document["heads"]) {
    const json &step = head["step"], &modes = head["modes"], &sinks = head["attention"]["sinks"];
    std::string line = fmt::format("{}.{}", head["layer"].get<std::int64_t>(), head["head"].get<std::int64_t>());
    if (step["sphere"].is_object())
      line += fmt::format("  jump {:.0f} degrees, time {:.2g} r^2, concentration {:.3g} on a sphere of dimension {};", step["sphere"]["angle"].get<double>(),
                          step["sphere"]["time"].get<double>(), step["sphere"]["concentration"].get<double>(), step["sphere"]["dimension"].get<std::int64_t>());
    else if (step["metric_epsilon"].is_number())
      line += fmt::format("  no jump, eps {:.2g} of the mean squared distance;", step["metric_epsilon"].get<double>());
    line += fmt::format("  {} targets; sinks:", step["targets"].get<std::int64_t>());
    for (std::size_t s = 0; s < std::min<std::size_t>(3, sinks.size()); ++s)
      line += fmt::format(" {} ({:.0f} %)", token_name(document, sinks[s]["token"].get<std::int64_t>()),
                          100 * sinks[s]["sum"].get<double>() / document["tokens"]["count"].get<double>());
    const auto& clusters = modes["clusters"];
    for (std::int64_t c = 0; modes["slow"].get<std::int64_t>() > 1 && c < std::min<std::int64_t>(4, modes["slow"].get<std::int64_t>()); ++c) {
      line += fmt::format("; cluster {} ({}):", c + 1, modes["sizes"][static_cast<std::size_t>(c)].get<std::int64_t>());
      int named = 0;
      for (std::size_t i = 0; i < clusters.size() && named < 4; ++i)
        if (clusters[i].get<std::int64_t>() == c) line += " " + token_name(document, static_cast<std::int64_t>(i) + 1), ++named;
    }
    fmt::print("{}\n", line);
  }
}

static void print_table(const json& document) {
  const json& model = document["model"];
  fmt::print("{}: {} of {}{}; {} tokens of width {} ({})\n\n", model["kind"].get<std::string>(), counted(model["layers"], "layer"),
             counted(model["heads"], "head"), model["causal"].get<bool>() ? ", causal" : "",
             document["tokens"]["count"].get<std::int64_t>(), model["width"].get<std::int64_t>(), document["tokens"]["from"].get<std::string>());
  print_heads(document);
  fmt::print("\n");
  print_words(document);
  if (document["states"].size() > 1) {
    fmt::print("\n{:<8}{:>8}{:>9}{:>20}\n", "before", "rank", "spread", "bare steps alone");
    for (std::size_t l = 0; l < document["states"].size(); ++l) {
      const json& state = document["states"][l];
      const std::string place = l + 1 < document["states"].size() ? fmt::format("layer {}", l + 1) : "the end";
      fmt::print("{:<8}{:>8}{:>9}{:>20}\n", place, figure(state["rank"]), figure(state["spread"]), figure(state["bare"], "{:.2g}"));
    }
  }
}

// A few sentences for the top of the page.
static json summary_of(const json& document) {
  const json& heads = document["heads"];
  const auto name = [](const json& head) { return fmt::format("{}.{}", head["layer"].get<std::int64_t>(), head["head"].get<std::int64_t>()); };
  std::size_t judged = 0, closer = 0, clustered = 0;
  const json *most = nullptr, *sink = nullptr;
  for (const json& head : heads) {
    const json& defects = head["defects"];
    clustered += head["modes"]["slow"].get<std::int64_t>() > 1;
    if (!sink || head["attention"]["sinks"][0]["sum"].get<double>() > (*sink)["attention"]["sinks"][0]["sum"].get<double>()) sink = &head;
    if (!defects["symmetry"].is_number()) continue;
    if (!most || defects["symmetry"].get<double>() < (*most)["defects"]["symmetry"].get<double>()) most = &head;
    if (!defects["null"].is_object() || !defects["null"]["symmetry"]["interval"][0].is_number()) continue;
    ++judged;
    closer += defects["symmetry"].get<double>() < defects["null"]["symmetry"]["interval"][0].get<double>();
  }
  json sentences = json::array();
  if (judged) sentences.push_back(fmt::format("{} of {} heads are closer to a metric than the same head with random directions.", closer, judged));
  if (most)
    sentences.push_back(fmt::format("The most symmetric is head {}: symmetry defect {}, Euclidean defect {}, {} of the triples break the triangle inequality.", name(*most),
                                    figure((*most)["defects"]["symmetry"]), figure((*most)["defects"]["euclidean"]), figure((*most)["defects"]["triangle"])));
  sentences.push_back(fmt::format("{} of {} heads have slow modes beside the constant: groups of tokens that keep to themselves.", clustered, heads.size()));
  const json& greatest = (*sink)["attention"]["sinks"][0];
  sentences.push_back(fmt::format("In head {} token {} receives {:.1f} % of all attention, the most of any.", name(*sink), token_name(document, greatest["token"].get<std::int64_t>()),
                                  100 * greatest["sum"].get<double>() / document["tokens"]["count"].get<double>()));
  return sentences;
}

static void run_inspect(const Globals& globals, InspectArguments& arguments) {
  require(arguments.tokens.empty() || !arguments.text_given, Fault::usage, "[inspect] expected --tokens or --text, found both: give one");
  if (!arguments.report.empty()) check_output(arguments.report, {arguments.model, arguments.tokens});
  ProgressBar bar(globals.quiet);
  const Context context = make_context(globals, bar);
  const auto begin = std::chrono::steady_clock::now();
  const auto model = inspect::load_model(arguments.model, arguments.tokeniser);
  inspect::Tokens tokens;
  if (arguments.text_given) {
    tokens.is_text = true;
    tokens.text = arguments.text;
    tokens.source = "--text";
  } else if (!arguments.tokens.empty()) {
    tokens = inspect::load_tokens(arguments.tokens, *model, context);
  }
  arguments.options.seed = globals.seed;
  const inspect::Inspection found = inspect::inspect(*model, tokens, arguments.options, context);
  bar.clear();
  json document = inspect::to_json(found);
  document["summary"] = summary_of(document);
  document["version"] = version;
  document["command"] = globals.command_line;
  document["seed"] = globals.seed;
  document["model"]["file"] = arguments.model;
  document["model"]["sha256"] = io::sha256(io::read_file(arguments.model));
  document["seconds"] = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (!arguments.report.empty()) io::write_file(arguments.report, report::inspect_page(document));
  if (globals.json) print_json(document);
  else print_table(document);
  if (globals.quiet) return;
  for (const json& head : document["heads"])
    if (!head["modes"]["converged"].get<bool>())
      fmt::print(stderr, "note: [inspect] head {}.{} may have more slow modes than were found: ask for more with --modes\n",
                 head["layer"].get<std::int64_t>(), head["head"].get<std::int64_t>());
}

void add_inspect_command(CLI::App& app, Globals& globals) {
  CLI::App* command = app.add_subcommand("inspect", "What a trained attention head does: metric defects, drift and diffusion, slow modes, clusters");
  const auto arguments = std::make_shared<InspectArguments>();
  command->add_option("model", arguments->model,
                      "A model of `calor train --save`, a llama2.c .bin, a known encoder's .safetensors, or a mapping .json (docs/inspect.md)")
      ->required()
      ->type_name("MODEL");
  command->add_option("--tokens", arguments->tokens, "What the model reads: data (csv, npy, safetensors, a bundled name) or a text (.txt)")->check(not_empty);
  CLI::Option* text = command->add_option("--text", arguments->text, "A text, for models that have a tokeniser");
  command->add_option("--tokeniser", arguments->tokeniser, "The tokeniser's file (default: tok*.bin or vocab.json beside the model)")->check(not_empty);
  command->add_option("--layer", arguments->options.layer, "One layer, from 1 (default: all)")->check(CLI::PositiveNumber);
  command->add_option("--head", arguments->options.head, "One head of each layer, from 1 (default: all)")->check(CLI::PositiveNumber);
  command->add_option("--modes", arguments->options.modes, "Eigenvalues to find for each head")->capture_default_str()->check(CLI::Range(3, 64));
  command->add_option("--triples", arguments->options.triples, "Triples to sample for the triangle inequality")->capture_default_str()->check(CLI::Range(100, 10000000));
  command->add_option("--report", arguments->report, "HTML report to write")->check(not_empty);
  add_globals(*command, globals);
  command->callback([&globals, arguments, text] {
    arguments->text_given = text->count() > 0;
    run_inspect(globals, *arguments);
  });
}

}  // namespace calor::app
