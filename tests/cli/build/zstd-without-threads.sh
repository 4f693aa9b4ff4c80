# SPDX-License-Identifier: Apache-2.0
# A libzstd that was built without threads, as its first refusal shows it.
"$CASES/make_world.py" image
cat >shim.c <<'END'
#include <zstd.h>
#include <zstd_errors.h>
size_t ZSTD_CCtx_setParameter(ZSTD_CCtx* context, ZSTD_cParameter parameter, int value) {
  (void)context;
  return parameter == ZSTD_c_nbWorkers && value != 0 ? (size_t)-ZSTD_error_parameter_unsupported : 0;
}
END
cc -shared -fPIC -o shim.so shim.c
export ASAN_OPTIONS=verify_asan_link_order=0
LD_PRELOAD="$PWD/shim.so" imgbuild build image.yaml -o image --offline -q 2>err.txt || code=$?
sed 's/zstd [0-9.]* /zstd VERSION /' err.txt
test ! -e image
exit $code
