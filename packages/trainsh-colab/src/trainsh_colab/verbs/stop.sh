# shellcheck shell=sh
# Asks the cell of `train colab connect` (connections/cell.txt) to give the runtime back, and prints `asked`. Prints
# `no-cell` if no such cell runs here.
if [ -e "$HOME/.trainsh-cell" ]; then
    : >"$HOME/.trainsh-stop" && echo asked
else
    echo no-cell
fi
