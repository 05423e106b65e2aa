# shellcheck shell=bash
# A Python with the client that the plain programs in use have.

declare project no_install

readonly python_client='paho-mqtt==2.1.0'

# As missing_needs.
missing_python_needs() {
  python3 -c 'import venv, ensurepip' 2>/dev/null || printf 'python3-with-venv python3,python3-venv python3,python3-pip python3\n'
}

# The plain programs in use are in Python; the tests and the benchmark speak to them.
provide_python_client() {
  local venv="${project}/target/python"
  if ! "${venv}/bin/python" -c 'import paho.mqtt.client' 2>/dev/null; then
    [[ -z "${no_install}" ]] || die "missing: ${python_client} for Python in ${venv}; run without --no-install"
    say "Installing: ${python_client} into ${venv}"
    python3 -m venv "${venv}"
    "${venv}/bin/pip" install --quiet --disable-pip-version-check "${python_client}"
  fi
  export DUALBOARD_TEST_PYTHON="${venv}/bin/python"
}
