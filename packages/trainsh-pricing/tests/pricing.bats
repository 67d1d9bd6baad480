#!/usr/bin/env bats
# The installed train-pricing, offline, in a home of the test's own.

bats_require_minimum_version 1.5.0

setup() {
    export TRAINSH_HOME="$BATS_TEST_TMPDIR/home"
    unset TRAINSH_UI_CURRENCY TRAINSH_PRICING_RATES_URL
}

@test "convert prints the amount on stdout and the rates' date on stderr" {
    run -0 --separate-stderr train-pricing convert 10 USD CNY
    [ "$output" = '$10.00 = CN¥72.99' ]
    [[ $stderr == *"2024-12-31 (built in)"*"train pricing rates --refresh"* ]]
}

@test "convert --json is one document with decimal texts" {
    run -0 --separate-stderr train-pricing convert 10 USD CNY --json
    [ "$(jq -r '.amount + " " + .to' <<<"$output")" = "72.993 CNY" ]
}

@test "a currency that is set is shown and used" {
    run -0 train-pricing currency
    [ "$output" = USD ]
    run -0 train-pricing currency --set cny
    [ "$output" = CNY ]
    run -0 train-pricing colab --json
    [ "$(jq -r '.gpus[0].currency' <<<"$output")" = CNY ]
    grep -q 'currency = "CNY"' "$TRAINSH_HOME/config.toml"
}

@test "a currency that does not exist is exit 3 with the nearest, and nothing is set" {
    run -3 train-pricing currency --set CNX
    [[ $output == *CNY* ]]
    [ ! -e "$TRAINSH_HOME/config.toml" ]
}

@test "a display currency of 0.9 is used" {
    mkdir -p "$TRAINSH_HOME"
    echo '{"display_currency": "EUR"}' >"$TRAINSH_HOME/pricing.json"
    run -0 train-pricing currency --json
    [ "$output" = '{"currency":"EUR","source":"file"}' ]
}

@test "rates say where they are from" {
    run -0 --separate-stderr train-pricing rates
    [[ ${lines[0]} == CURRENCY*"FOR 1 USD" ]]
    [[ $stderr == *"built in"* ]]
}

@test "rates --refresh without the service is exit 8 and keeps the old ones" {
    TRAINSH_PRICING_RATES_URL=http://127.0.0.1:9/latest run -8 train-pricing rates --refresh
    [[ $output == *"cannot be reached"* ]]
    run -0 train-pricing rates
}

@test "a colab subscription is kept" {
    run -0 train-pricing colab --subscription 'Colab Pro+' --price 49.99 --units 500
    run -0 train-pricing colab
    [[ $output == *"Colab Pro+: 500 units for \$49.99 a month"* ]]
    run -2 train-pricing colab --price 3
    [[ $output == *--subscription* ]]
}
