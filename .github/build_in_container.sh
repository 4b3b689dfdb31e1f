#!/bin/sh
# Builds and packs for the Linux it runs in: Alpine with Rust (musl), or AlmaLinux (glibc 2.28). Called by release.yml.
set -eu

if [ "$LIBC" = musl ]; then
  apk add --no-cache nodejs npm musl-dev gcc
else
  dnf -q -y module enable nodejs:20
  dnf -q -y install nodejs npm gcc
  curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal --default-toolchain 1.95
  export PATH="$HOME/.cargo/bin:$PATH"
fi
npm run pack:local -- --only platform --out packed
