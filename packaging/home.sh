# To be sourced: where setup.sh installs what builds and checks the packages.

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
home="${PACKAGING_HOME:-${XDG_CACHE_HOME:-$HOME/.cache}/fintecture-mcp-ci/packaging}"
python="$home/python/bin/python"
