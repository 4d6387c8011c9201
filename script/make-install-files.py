#!/usr/bin/env python3
"""Fills a template of deploy/ with what the program says of itself, so that manual, completion and
configuration file cannot differ from it.

    make-install-files.py PROGRAM TEMPLATE OUTPUT [NAME=VALUE...]

Every @NAME@ is replaced: by the NAMEs given, else by the function of that name below."""

import re
import subprocess
import sys
import textwrap


class Program:
    """The commands and settings, read from --help, COMMAND --help and config --example."""

    def __init__(self, path, given):
        self.path = path
        self.given = given
        self.commands = re.findall(r"^  servery ((\S+).*?)  +(\S.*)$", self.ask("--help"), re.M)
        self.settings = re.findall(
            r"^# (.*)\n#(\w+) =(?: (.*))?$", self.ask("config", "--example"), re.M
        )
        self.switches = re.findall(r"^  --(\S+) (?:yes\|no|on\|off)$", self.ask("config", "--help"), re.M)
        if not self.commands or not self.settings or not self.switches:
            sys.exit("make-install-files.py: the program's help is not understood")

    def ask(self, *words):
        return subprocess.run([self.path, *words], check=True, capture_output=True, text=True).stdout

    def help(self, command):
        """What the command does, in paragraphs."""
        text = self.ask(command, "--help").split("\nSettings, each")[0]
        return [" ".join(p.split()) for p in text.strip().split("\n\n")[1:]]

    def words(self, command):
        """The words that may follow a command: those in its usage and in its help."""
        texts = [usage for usage, name, _ in self.commands if name == command] + self.help(command)
        found = []
        for text in texts:
            found += re.findall(rf"(?:^|servery ){command} ([a-z][a-z-]*)", text)
            found += re.findall(r"(?<![^\s[|])(--[a-z]+(?:-[a-z]+)*)", text)
        return sorted(set(found) - set(self.flags()))

    def takes_value(self, command, word):
        return any(re.search(rf"{word} [A-Z]", text) for text in self.help(command))

    def takes_file(self, command):
        return any(name == command and "FILE" in usage for usage, name, _ in self.commands)

    def flags(self):
        return ["--" + name.replace("_", "-") for _, name, _ in self.settings]


def roff(text):
    text = textwrap.fill(text, 76, break_long_words=False, break_on_hyphens=False)
    text = text.replace("\\", "\\e").replace("-", "\\-")
    text = text.replace("…", "...").replace("'", "\\(aq").replace("`", "\\(ga")
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.M)


def man_commands(program):
    for usage, name, _ in program.commands:
        yield f".TP\n.B servery {roff(usage)}"
        for i, paragraph in enumerate(program.help(name)):
            if re.fullmatch(r"servery \S.*", paragraph) and len(paragraph) < 60:
                yield f".TP\n.B {roff(paragraph)}"
                continue
            first = i == 0 or re.fullmatch(r"servery \S.{,51}", program.help(name)[i - 1])
            yield ("" if first else ".IP\n") + roff(paragraph)


def man_settings(program):
    for meaning, name, value in program.settings:
        yield f".TP\n.B {name}\n{roff(meaning)}"
        if value:
            yield f"(default: {roff(value)})"


def commands(program):
    yield " ".join(name for _, name, _ in program.commands)


def flags(program):
    yield " ".join(["--config", *program.flags(), "--help"])


def switches(program):
    yield "|".join("--" + name for name in program.switches)


def files(program):
    yield "|".join(["--config", *(flag for flag in program.flags() if flag.endswith("-file"))])


def alone(program):
    """The flags that no value follows."""
    words = {word for _, name, _ in program.commands for word in program.words(name)
             if not program.takes_value(name, word)}
    yield "|".join(sorted({"--help"} | {word for word in words if word.startswith("--")}))


def file_commands(program):
    yield "|".join(name for _, name, _ in program.commands if program.takes_file(name))


def bash_words(program):
    for _, name, _ in program.commands:
        if program.words(name):
            yield f'    {name}) words="{" ".join(program.words(name))}" ;;'


def zsh_quoted(text):
    return text.replace("'", "'\\''").replace("[", "\\[").replace("]", "\\]").replace(":", "\\:")


def zsh_commands(program):
    for _, name, summary in program.commands:
        yield f"    '{name}:{zsh_quoted(summary)}'"


def zsh_flags(program):
    yield "    '--config[read settings from a file]:file:_files'"
    for (meaning, name, _), flag in zip(program.settings, program.flags()):
        action = ":value:"
        if flag[2:] in program.switches:
            action = ":value:(yes no)"
        elif flag.endswith("-file"):
            action = ":file:_files"
        yield f"    '{flag}[{zsh_quoted(meaning)}]{action}'"


def zsh_words(program):
    for _, name, _ in program.commands:
        words = [word for word in program.words(name) if not word.startswith("--")]
        own = [f"'{word}:value:'" if program.takes_value(name, word) else word
               for word in program.words(name) if word.startswith("--")]
        rest = "'*:file:_files'" if program.takes_file(name) else f"'*:word:({' '.join(words)})'"
        yield f"    {name}) flags+=({' '.join([*own, rest])}) ;;"


def fish_quoted(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def fish_commands(program):
    for _, name, summary in program.commands:
        condition = "-n __fish_use_subcommand"
        yield f"complete -c servery -f {condition} -a {name} -d {fish_quoted(summary)}"
        seen = f"-n '__fish_seen_subcommand_from {name}'"
        if program.takes_file(name):
            yield f"complete -c servery {seen} -F"
        for word in program.words(name):
            how = f"-l {word[2:]}" if word.startswith("--") else f"-a {word}"
            how += " -x" if program.takes_value(name, word) else ""
            yield f"complete -c servery {seen} {how}"


def fish_flags(program):
    yield "complete -c servery -l config -r -F -d 'read settings from a file'"
    for (meaning, _, _), flag in zip(program.settings, program.flags()):
        kind = "-x"
        if flag[2:] in program.switches:
            kind = "-x -a 'yes no'"
        elif flag.endswith("-file"):
            kind = "-r -F"
        yield f"complete -c servery -l {flag[2:]} {kind} -d {fish_quoted(meaning)}"


def example(program):
    """The settings, each once; where the data are is set."""
    text = program.ask("config", "--example").rstrip("\n")
    state = program.given["STATEDIR"]
    for name, value in ("database", f"sqlite:{state}/servery.db"), ("secret_file", f"{state}/servery.key"):
        text, n = re.subn(rf"^#{name} =.*$", f"{name} = {value}", text, flags=re.M)
        assert n == 1, name
    yield text


MAKERS = [
    man_commands, man_settings, commands, flags, switches, files, alone, file_commands, bash_words, zsh_commands, zsh_flags,
    zsh_words, fish_commands, fish_flags, example,
]  # fmt: skip


def main(path, template, output, *given):
    values = dict(pair.split("=", 1) for pair in given)
    program = Program(path, values)
    makers = {maker.__name__.upper(): maker for maker in MAKERS}

    def value(match):
        name = match[1]
        return values[name] if name in values else "\n".join(makers[name](program))

    with open(template, encoding="utf-8") as file:
        text = re.sub(r"@([A-Z_]+)@", value, file.read())
    with open(output, "w", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    main(*sys.argv[1:])
