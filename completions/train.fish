# Completes train and every train-* in fish. `train --complete` prints what can follow.

function __train_complete
    set -l typed (commandline -opc) (commandline -ct)
    set -l program (string replace -r '^~' $HOME $typed[1])
    set -e typed[1]
    set -l name (string replace -r '.*/' '' $program)
    if string match -q 'train-*' $name
        set typed (string replace 'train-' '' $name) $typed
        set program (string replace -r '[^/]*$' train $program)
    end
    for line in ($program --complete $typed 2>/dev/null)
        switch $line
            case @files
                __fish_complete_path (commandline -ct)
            case @folders
                __fish_complete_directories (commandline -ct)
            case '*'
                echo $line
        end
    end
end

complete -c train -f -a '(__train_complete)'
for name in (train --list 2>/dev/null | string replace -r '\t.*' '')
    complete -c train-$name -f -a '(__train_complete)'
end
