# The installed train-colab, without a runtime.

setup() {
  export HOME="$BATS_TEST_TMPDIR/home" TRAINSH_HOME="$BATS_TEST_TMPDIR/home/t" PYTHON_KEYRING_BACKEND=keyring.backends.fail.Keyring
  mkdir -p "$HOME/.ssh"
}

@test "no runtime yet" {
  run train-colab list --json
  [ "$status" -eq 0 ]
  [ "$output" = "[]" ]
  run train-colab ssh
  [ "$status" -eq 3 ]
  [[ $output == *"train colab connect NAME"* ]]
}

@test "connect prints the cell into a pipe, with the public key" {
  echo "ssh-ed25519 AAAA me@here" >"$HOME/.ssh/id_ed25519.pub"
  run bash -c 'train-colab connect nb 2>/dev/null | python3 -c "import ast, sys; ast.parse(sys.stdin.read())"'
  [ "$status" -eq 0 ]
  run train-colab connect nb
  [[ $output == *"'ssh-ed25519 AAAA me@here'"* ]]
  [[ $output == *"train colab connect nb --host ADDRESS"* ]]
}

@test "wrong names, addresses and runtimes" {
  echo "ssh-ed25519 AAAA me@here" >"$HOME/.ssh/id_ed25519.pub"
  run train-colab connect 'n b'
  [ "$status" -eq 2 ]
  run train-colab connect nb --host '-oProxyCommand=touch x'
  [ "$status" -eq 2 ]
  run train-colab resolve nothing --json
  [ "$status" -eq 3 ]
  [[ $output == *no_instance* ]]
  [[ $output == *'"gone":true'* ]]
  run train-colab proxy nothing
  [ "$status" -eq 9 ]
}
