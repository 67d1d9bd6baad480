#!/usr/bin/env bats
# The installed train-config, in a home of the test's own.

bats_require_minimum_version 1.5.0

setup() {
    export TRAINSH_HOME="$BATS_TEST_TMPDIR/home"
    unset TRAINSH_SECRETS_HELPER TRAINSH_SECRETS_FILE
}

@test "show lists every setting, and --json is for jq" {
    run -0 train-config show
    [[ $output == SETTING* ]]
    [[ $output == *secrets.helper* ]]
    run -0 sh -c 'train-config show --json | jq -r ".[0].name"'
    [ "$output" = version ]
}

@test "set, get and show --source agree" {
    run -0 train-config set secrets.helper 'pass show train/{name}'
    [ "$output" = 'secrets.helper = pass show train/{name}' ]
    run -0 train-config get secrets.helper
    [ "$output" = 'pass show train/{name}' ]
    run -0 sh -c 'train-config show --source --json | jq -r ".[] | select(.name == \"secrets.helper\").source"'
    [ "$output" = file ]
    run -0 sh -c 'TRAINSH_SECRETS_HELPER=x train-config show --source | grep secrets.helper'
    [[ $output == *environment* ]]
}

@test "a setting of a stranger on PATH is shown, got and set" {
    mkdir -p "$BATS_TEST_TMPDIR/s/bin" "$BATS_TEST_TMPDIR/s/share/trainsh/settings"
    printf '#!/bin/sh\n' >"$BATS_TEST_TMPDIR/s/bin/train-shed"
    printf 'shed.colour\tred|blue\tred\tits colour\n' >"$BATS_TEST_TMPDIR/s/share/trainsh/settings/shed"
    PATH=$BATS_TEST_TMPDIR/s/bin:$PATH
    run -0 train-config get shed.colour
    [ "$output" = red ]
    run -2 train-config set shed.colour green
    [[ $output == *"one of red, blue"* ]]
    run -0 train-config set shed.colour blue
    run -0 sh -c 'train-config show --json | jq -r ".[] | select(.name == \"shed.colour\") | .value, .known"'
    [ "$output" = $'blue\ntrue' ]
}

@test "get of a setting without a value prints nothing and is null in JSON" {
    run -0 train-config get secrets.helper
    [ -z "$output" ]
    run -0 train-config get secrets.helper --json
    [ "$(jq -c ".value" <<<"$output")" = null ]
}

@test "an unknown key: set, get and reset are exit 3, and name the nearest" {
    run -3 train-config set secrets.helpr x
    [[ $output == *"did you mean secrets.helper?"* ]]
    run -3 train-config reset secrets.helpr --yes
    [[ $output == *"did you mean secrets.helper?"* ]]
    run -3 train-config get secrets.helpr
    [[ $output == *"did you mean secrets.helper?"* ]]
    [ ! -e "$TRAINSH_HOME/config.toml" ]
}

@test "a file of 0.9 loads; what it has beyond is shown and kept with its comments" {
    mkdir -p "$TRAINSH_HOME"
    printf '# mine\nversion = 1\n\n[ui]\ntheme = "dark" # night\n' > "$TRAINSH_HOME/config.toml"
    run -0 train-config get ui.theme
    [ "$output" = dark ]
    run -0 train-config set secrets.file /x
    run -0 cat "$TRAINSH_HOME/config.toml"
    [[ $output == $'# mine\nversion = 1\n\n[ui]\ntheme = "dark" # night\n'* ]]
}

@test "a file that does not parse: exit 2, its line, and not a byte changed" {
    mkdir -p "$TRAINSH_HOME"
    printf 'version = 1\n[ui\n' > "$TRAINSH_HOME/config.toml"
    cp "$TRAINSH_HOME/config.toml" "$BATS_TEST_TMPDIR/before"
    for words in show "get version" "set secrets.file /x" "reset --yes"; do
        # shellcheck disable=SC2086 # words are split on purpose
        run -2 train-config $words
        [[ $output == *"line 2"* ]]
    done
    cmp "$TRAINSH_HOME/config.toml" "$BATS_TEST_TMPDIR/before"
}

@test "reset asks: exit 2 names --yes without a terminal; then the defaults are back" {
    train-config set secrets.file /x
    train-config set secrets.helper 'x {name}'
    run -2 train-config reset
    [[ $output == *--yes* ]]
    run -0 train-config reset secrets.file --yes
    run -0 train-config get secrets.helper
    [ "$output" = 'x {name}' ]
    run -0 train-config reset --yes --json
    [ "$(jq -r '.[].name' <<<"$output")" = secrets.helper ]
    run -0 cat "$TRAINSH_HOME/config.toml"
    [[ $output != *"{name}"* ]]
}

@test "reset with nothing set asks nothing" {
    run -0 train-config reset
    [ -z "$output" ]
}

@test "set takes JSON from --input" {
    run -0 sh -c "echo '{\"name\": \"secrets.file\", \"values\": [\"/y\"]}' | train-config set --input -"
    run -0 train-config get secrets.file
    [ "$output" = /y ]
}

@test "the file is private" {
    train-config set secrets.file /x
    # shellcheck disable=SC2016 # the inner shell expands it
    run -0 sh -c 'ls -l "$TRAINSH_HOME/config.toml" | cut -c1-10; ls -ld "$TRAINSH_HOME" | cut -c1-10'
    [ "$output" = $'-rw-------\ndrwx------' ]
}

@test "serve answers get and set" {
    run -0 sh -c 'printf "%s\n%s\n" "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"get\",\"params\":{\"name\":\"version\"}}" | train-config serve'
    [ "$(jq .result.value <<<"$output")" = 1 ]
}

@test "show starts without tomlkit, rich, keyring and requests" {
    program=$(command -v train-config)
    "$(head -1 "$program" | cut -c3-)" -X importtime "$program" show >/dev/null 2>"$BATS_TEST_TMPDIR/imports"
    grep -q msgspec "$BATS_TEST_TMPDIR/imports"
    run ! grep -E '(tomlkit|rich|keyring|requests|asyncio)' "$BATS_TEST_TMPDIR/imports"
}

@test "doctor names programs with versions, and changes nothing" {
    run -0 train-config doctor
    [[ $output == *"ok "*tmux*"tmux 3"* ]]
    [[ $output == *"connection folder"* ]]
    [ ! -e "$TRAINSH_HOME" ]
    run -0 sh -c 'train-config doctor --json | jq -r "map(.name) | join(\" \")"'
    [[ $output == "train ssh tmux rsync rclone "* ]]
}

@test "doctor: what is wrong is a problem with its fix, and status 1" {
    mkdir -m 755 -p "$TRAINSH_HOME" "$BATS_TEST_TMPDIR/bin"
    echo 'a = [' >"$TRAINSH_HOME/config.toml"
    printf '#!/bin/sh\necho broken library >&2; exit 127\n' >"$BATS_TEST_TMPDIR/bin/tmux"
    printf '#!/bin/sh\n' >"$BATS_TEST_TMPDIR/bin/apt-get"
    chmod +x "$BATS_TEST_TMPDIR/bin/"*
    program=$(command -v train-config)
    run -1 env PATH="$BATS_TEST_TMPDIR/bin" "$program" doctor
    [[ $output == *"problem  ssh "*"missing: hosts need it"*"-> "*"apt-get install openssh-client"* ]]
    [[ $output == *"problem  tmux "*"does not run: broken library"* ]]
    [[ $output == *"rsync "*"missing: "*"-> "*"apt-get install rsync"* ]]
    [[ $output == *"problem  settings "*"config.toml"*"-> "* ]]
    [[ $output == *"open to others (755)"*"-> chmod 700 $TRAINSH_HOME"* ]]
    [[ $output == *"not on PATH"*"-> export PATH="* ]]
    run -1 env TRAINSH_HOME=/dev/null/home "$program" doctor
    [[ $output == *"problem  settings folder"*"TRAINSH_HOME"* ]]
}

@test "doctor: completions of the login shell, and keys that ssh would refuse" {
    export HOME=$BATS_TEST_TMPDIR/home XDG_DATA_HOME=$BATS_TEST_TMPDIR/data
    mkdir -p "$HOME/.ssh" "$TRAINSH_HOME"
    chmod 700 "$HOME/.ssh" "$TRAINSH_HOME"
    touch "$HOME/.ssh/id_ed25519" "$HOME/.ssh/id_ed25519.pub" "$TRAINSH_HOME/secrets.age.key"
    chmod 644 "$HOME"/.ssh/* "$TRAINSH_HOME/secrets.age.key"
    SHELL=/bin/zsh run -1 train-config doctor
    [[ $output == *"warning  completions "*"none for zsh"*"-> "*"train help completions zsh"* ]]
    [[ $output == *"problem  permissions "*"id_ed25519 is open to others (644)"*"-> chmod 600 $HOME/.ssh/id_ed25519"* ]]
    [[ $output == *"warning  permissions "*"secrets.age.key is open"*"-> chmod 600 "* ]]
    [[ $output != *"id_ed25519.pub is open"* ]]
    run -1 bash -c 'SHELL=/bin/bash train-config doctor --json | jq -r ".[] | select(.name == \"completions\").fix" | sh &&
      SHELL=/bin/bash train-config doctor'
    [[ $output == *"ok       completions "*"bash: $HOME/.bashrc"* ]]
    SHELL=/bin/dash run -1 train-config doctor
    [[ $output == *"ok       completions "*"none for dash"* ]]
    chmod 600 "$HOME"/.ssh/* "$TRAINSH_HOME/secrets.age.key"
    SHELL=/bin/dash run train-config doctor
    [[ $output == *"ok       permissions "*"only you can read"* ]]
}
