# Sourced by the scripts beside it, from bash with `set -euo pipefail`.

# Changes to the repository's root and puts its own Node.js before any other.
enter_repository() {
  cd "$(dirname "${BASH_SOURCE[0]}")/.."
  mkdir -p .build
  # npm and git both want a home folder; an empty one in the tree is better than none.
  if [ -z "${HOME:-}" ]; then
    mkdir -p .build/home
    export HOME="$PWD/.build/home"
  fi
  export PATH="$PWD/node_modules/.bin:$PATH"
}

# Installs what package-lock.json says, unless that was done since it last changed. Speaks on stderr only.
# An npm that blocks install scripts leaves out Node.js itself: that is said here rather than by a puzzling failure.
install_packages() {
  local installed=node_modules/.package-lock.json
  if [ -x node_modules/.bin/node ] && [ -f "$installed" ] && [ ! package-lock.json -nt "$installed" ]; then return; fi
  command -v npm >/dev/null || { echo 'npm is missing: install Node.js 20 or newer with npm' >&2; return 1; }
  echo 'npm ci: bringing the packages and the right Node.js (15-60 s) …' >&2
  npm ci --no-audit --no-fund --no-update-notifier --loglevel=error >&2 || { echo 'npm ci failed' >&2; return 1; }
  [ -x node_modules/.bin/node ] || { echo 'npm ci brought no Node.js: see allowScripts in package.json' >&2; return 1; }
}

# heading TEXT
heading() {
  printf '\n== %s\n' "$1"
}

# counts_line PASSED FAILED SKIPPED: the line that every runner ends with; fails unless something passed and nothing failed.
counts_line() {
  printf '%d passed, %d failed, %d skipped\n' "$1" "$2" "$3"
  [ "$1" -gt 0 ] && [ "$2" -eq 0 ]
}
