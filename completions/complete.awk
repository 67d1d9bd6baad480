# Reads a tool's table (share/trainsh/completions/TOOL), and the words after the tool's name from the variable WORDS (a
# word a line; the last word is being typed). Prints candidates in lines `TEXT<tab>DESCRIPTION`, or a line `@KIND TEXT`
# if values of that kind can follow after TEXT.
#
# A line of the table has one of these forms, with tabs between the words:
#   command   NAME                 SUMMARY
#   option    COMMAND  FLAG        VALUE   HELP      VALUE: - for none, a kind, text, or words with | between them
#   argument  COMMAND  N[+]        VALUE   HELP      for the Nth word; with + for the Nth word and all after it
# If COMMAND is *, the line is for every command.

BEGIN {
    FS = "\t"
    count = split(ENVIRON["WORDS"], words, "\n") - 1 # the last is a dot
    current = words[count]
    command = count > 1 ? words[1] : ""
}

$1 == "command" && count == 1 && begins($2) { print $2 "\t" $3 }
count == 1 || ($2 != command && $2 != "*") { next }
$1 == "option" {
    value[$3] = $4
    help[$3] = $5
    order[++options] = $3
}
$1 == "argument" { argument[$3] = $4 }

END {
    if (count == 1) {
        if (begins("--help")) print "--help\tShow this message and exit."
        if (begins("--version")) print "--version\tShow the version and exit."
        exit
    }
    waiting = ""
    only_arguments = number = 0
    for (place = 2; place < count; place++) {
        word = words[place]
        if (waiting != "") waiting = ""
        else if (!only_arguments && word == "--") only_arguments = 1
        else if (!only_arguments && word ~ /^-./) {
            if (value[word] != "" && value[word] != "-") waiting = word
        } else number++
    }
    if (waiting != "") show(value[waiting], "")
    else if (!only_arguments && match(current, /^--[a-z0-9-]+=/)) {
        flag = substr(current, 1, RLENGTH - 1)
        if (value[flag] != "" && value[flag] != "-") show(value[flag], substr(current, 1, RLENGTH))
    } else if (!only_arguments && current ~ /^-/) {
        for (place = 1; place <= options; place++)
            if (begins(order[place])) print order[place] "\t" help[order[place]]
    } else {
        number++
        if (number in argument) show(argument[number], "")
        else
            for (first = number; first > 0; first--)
                if ((first "+") in argument) { show(argument[first "+"], ""); break }
    }
}

function begins(text) { return index(text, current) == 1 }

function show(kind, before,   parts, part, total) {
    if (index(kind, "|")) {
        total = split(kind, parts, "|")
        for (part = 1; part <= total; part++)
            if (begins(before parts[part])) print before parts[part]
    } else if (kind != "text") print "@" kind " " before
}
