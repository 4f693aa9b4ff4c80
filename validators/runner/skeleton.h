// SPDX-License-Identifier: Apache-2.0
// The topmost layer of every container: the mount points that an image may lack, and our first
// program.
#pragma once

#include "validators/runner/layer_stack.h"

#include <string>

namespace img {

/// Where things of ours are inside a container.
inline constexpr const char* kBundlePlace = "/.imgcheck";         ///< the probes
inline constexpr const char* kEnterPlace = "/.imgcheck-enter";    ///< enter.cc
inline constexpr const char* kDriverPlace = "/.imgcheck-driver";  ///< links of place_edits

/// Fills the empty folder `skeleton` with what must be there beside the layers of `stack`: folders
/// to mount on, `working_dir` (as resolved; made when the image lacks it), the enter program, and
/// attributes of folders that a layer only implies. InputError when the image has a link or a file
/// where something is mounted.
void make_skeleton(const fs::path& skeleton, const LayerStack& stack,
                   const std::string& working_dir, Owners owners);

/// Makes the folder `path` ("usr/lib") of a skeleton and those above it, with the attributes that
/// the image has for them. `path` leads through no link of the image.
void make_image_folder(const fs::path& skeleton, const LayerStack& stack, const std::string& path,
                       Owners owners);

/// The working directory that an image's config asks for, links followed; "/" for none. InputError
/// when it lies in /proc, /sys or /dev, where a name can mean something of the host.
std::string working_dir_of(const std::string& configured, const LayerStack& stack);

}  // namespace img
