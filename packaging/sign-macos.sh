#!/bin/sh
# Signs executables on a Mac, ad hoc: sign-macos.sh FILE…
# The runtime of x64 comes with a signature over what it was before the program was appended; a Mac ends a program whose signature does not fit.
set -eu
for file in "$@"; do
  codesign --force --sign - "$file"
  codesign --verify --strict --verbose=2 "$file"
done
