# SPDX-License-Identifier: Apache-2.0
imgbuild cache dir
imgbuild cache dir --cache-dir elsewhere
unset IMGBUILD_CACHE_DIR
imgbuild cache dir
XDG_CACHE_HOME=/xdg imgbuild cache dir
