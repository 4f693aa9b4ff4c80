// SPDX-License-Identifier: Apache-2.0
// imgbuild diff: the first difference between two images, then a summary.

#include "builder/base/text.h"
#include "builder/commands/commands.h"
#include "builder/layout/image_diff.h"

#include <memory>

namespace img {
namespace {

struct DiffFlags {
  std::string left, right, left_reference, right_reference;
  std::size_t limit = 20;
};

Json difference_json(const ImageDifference& d) {
  const auto side = [](const std::string& text) { return text.empty() ? Json() : Json(text); };
  return {{"level", d.level},
          {"where", d.where},
          {"field", d.field},
          {"left", side(d.left)},
          {"right", side(d.right)}};
}

Json diff_json(const ImageDiff& diff) {
  Json differences = Json::array(), layers = Json::array();
  for (const ImageDifference& d : diff.differences) differences.push_back(difference_json(d));
  for (const LayerDifference& layer : diff.layers) {
    layers.push_back({{"index", layer.index},
                      {"left", layer.left.empty() ? Json() : Json(layer.left)},
                      {"right", layer.right.empty() ? Json() : Json(layer.right)},
                      {"added", layer.added},
                      {"removed", layer.removed},
                      {"changed", layer.changed},
                      {"equal", layer.equal},
                      {"sameContent", layer.same_content}});
  }
  return {{"same", diff.same()},
          {"total", diff.total},
          {"differences", differences},
          {"layers", layers}};
}

void print_difference(Session& session, const ImageDifference& d) {
  session.print(d.where + ": " + d.field);
  session.print("  left:  " + (d.left.empty() ? "(not there)" : printable(d.left)));
  session.print("  right: " + (d.right.empty() ? "(not there)" : printable(d.right)));
}

std::string layer_summary(const LayerDifference& layer) {
  const std::string name = "layers[" + std::to_string(layer.index) + "]: ";
  if (layer.same_content) return name + "same content, packed differently";
  return name + std::to_string(layer.changed) + " changed, " + std::to_string(layer.added) +
         " added, " + std::to_string(layer.removed) + " removed, " + std::to_string(layer.equal) +
         " equal entries";
}

void print_diff(Session& session, const ImageDiff& diff) {
  if (diff.same()) {
    session.print("the images are the same");
    return;
  }
  for (const ImageDifference& d : diff.differences) print_difference(session, d);
  if (diff.total > diff.differences.size()) {
    session.print("and " + std::to_string(diff.total - diff.differences.size()) +
                  " more differences");
  }
  for (const LayerDifference& layer : diff.layers) session.print(layer_summary(layer));
}

ExitCode run_diff(Session& session, const DiffFlags& flags) {
  const auto left = LayoutReader::open(flags.left);
  const auto right = LayoutReader::open(flags.right);
  const ImageDiff diff = diff_images(
      *left, *right,
      {.left_reference = flags.left_reference,
       .right_reference = flags.right_reference,
       .limit = flags.limit,
       .on_layer = [&](const std::string& layer) { session.progress().log("reading " + layer); }});
  if (session.json()) {
    session.print_json(diff_json(diff));
  } else {
    print_diff(session, diff);
  }
  return diff.same() ? ExitCode::ok : ExitCode::difference;
}

}  // namespace

void add_diff_command(CLI::App& app, Action& chosen) {
  auto flags = std::make_shared<DiffFlags>();
  CLI::App* command = app.add_subcommand("diff", "Say what differs between two images");
  command->add_option("LEFT", flags->left, "Layout directory, OCI archive or docker archive")
      ->required();
  command->add_option("RIGHT", flags->right, "The other one")->required();
  command->add_option("--left-ref", flags->left_reference, "Tag or digest in LEFT");
  command->add_option("--right-ref", flags->right_reference, "Tag or digest in RIGHT");
  command->add_option("--limit", flags->limit, "Differences to print (default 20)");
  command->callback([flags, &chosen] {
    chosen = [flags](Session& session) { return run_diff(session, *flags); };
  });
}

}  // namespace img
