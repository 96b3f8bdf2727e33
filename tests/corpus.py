"""Lints labelled places of public repositories and compares the reports with the labels.

cases.tsv, faults that should be found: id, language, repo (owner/name), commit, path, lines
(`12-15,20`), fix_or_issue (`fix HASH` names the commit that mended it), family (its first letter
selects it) and accept (the codes that count, separated by blanks; `*` asks for none and stays out of
the rate).
negatives.tsv, correct code that looks wrong: id, language, repo, commit, path, lines.
Other columns are for people. Both have a heading and tabs between columns.

All sources of a row's commit are unpacked into a temporary folder and linted with the default rules,
so that what a real run would link is linked. A fault is
  found   when a report with an accepted code has a place in the row's lines: its own, a related one,
          or one of its path
  near    when such a place is within five lines of them: for a person to judge, it does not count
  other   when only other codes are reported in the lines
  missed  when nothing is
At the commit of the fix the lines are carried over the difference of the two versions, and the report
is `gone`, or `STANDS` when an accepted code is still reported in those lines, or the found report is
still reported elsewhere. Without a finding to lose, `clean` or `STANDS` say what the fixed lines hold.

A negative is `FAIL` when a report's own place is in the row's lines. A report that only leads through
them, one that a row of cases.tsv asks for in those very lines, and reports elsewhere in the file are
listed for information.
"""

import argparse
import collections
import csv
import functools
import io
import json
import os
import re
import subprocess
import sys
import tempfile

NEAR = 5
SOURCES = set(".c .cc .cpp .cxx .h .hh .hpp .hxx .inc .inl .ipp .rs".split())


class Unusable(Exception):
    """A row whose sources are not there, or that could not be linted."""


def rows(path):
    """The rows of a table; quotation marks are ordinary characters in it."""
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def ranges(text):
    """`12-15,20` as pairs of first and last line."""
    found = []
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        found.append((int(first), int(last or first)))
    return found


class Repository:
    """A git repository that is only read from."""

    def __init__(self, folder, name):
        base = os.path.join(folder, name.replace("/", "+"))
        for inner in ("", ".git", "repo/.git", "repo"):
            self.git_dir = os.path.join(base, inner) if inner else base
            if os.path.isfile(os.path.join(self.git_dir, "HEAD")):
                return
        raise Unusable(f"no repository {base}")

    def git(self, *arguments, given=None):
        return subprocess.run(
            ["git", f"--git-dir={self.git_dir}", *arguments], input=given, capture_output=True, check=False
        )

    def commit(self, name):
        """The full name of a commit. An abbreviation with a wrong tail is shortened until it names one."""
        for length in range(len(name), 6, -1):
            answer = self.git("rev-parse", "--verify", "--quiet", name[:length] + "^{commit}")
            if answer.returncode == 0:
                return answer.stdout.decode().strip()
        raise Unusable(f"no commit {name}")

    def unpack(self, commit, into):
        """Writes the sources of a commit. Other files are of no use, and a copy may lack the large ones."""
        names = self.git("ls-tree", "-r", "-z", "--full-tree", commit).stdout.decode(errors="surrogateescape")
        wanted = []
        for entry in names.split("\0")[:-1]:
            (_, kind, blob), name = entry.partition("\t")[0].split(), entry.partition("\t")[2]
            if kind == "blob" and os.path.splitext(name)[1].lower() in SOURCES and ".." not in name.split("/"):
                wanted.append((blob, name))
        batch = self.git("cat-file", "--batch", given="".join(blob + "\n" for blob, _ in wanted).encode())
        stream = io.BytesIO(batch.stdout)
        for _, name in wanted:
            head = stream.readline().split()
            if len(head) != 3:
                continue  # the object is missing
            target = os.path.join(into, name)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "wb") as file:
                file.write(stream.read(int(head[2])))
            stream.readline()

    def carried(self, old, new, path, lines):
        """Where lines of `old` are in `new`; a changed line is all that its hunk became."""
        answer = self.git("diff", "-U0", "--no-color", "--no-ext-diff", old, new, "--", path)
        hunks = []
        for line in answer.stdout.decode(errors="replace").splitlines():
            match = re.match(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@", line)
            if match:
                first, length, start, count = (1 if part is None else int(part) for part in match.groups())
                # An empty side names the line before it.
                hunks.append((first + (length == 0), length, start + (count == 0), count))
        moved = set()
        for first, last in lines:
            for line in range(first, last + 1):
                shift = 0
                for begin, length, start, count in hunks:
                    if begin <= line < begin + length:
                        moved.update(range(start, start + count))
                        break
                    if begin + length <= line:
                        shift = start + count - begin - length
                else:
                    moved.add(line + shift)
        return [(line, line) for line in sorted(moved)]


class Linter:
    """Runs the binary on the tree of a commit, once a commit."""

    def __init__(self, binary, folder):
        self.binary = binary
        self.repository = functools.cache(lambda name: Repository(folder, name))
        self.tree = functools.cache(self._tree)

    def _tree(self, name, commit):
        with tempfile.TemporaryDirectory() as folder:
            self.repository(name).unpack(commit, folder)
            run = subprocess.run(
                [self.binary, "check", "--format", "json", "--config", "/dev/null", "."],
                cwd=folder,
                capture_output=True,
                check=False,
            )
            present = {
                os.path.relpath(os.path.join(base, file), folder)
                for base, _, files in os.walk(folder)
                for file in files
            }
        try:
            return json.loads(run.stdout)["diagnostics"], present
        except (ValueError, KeyError):
            raise Unusable(f"the linter failed: {run.stderr.decode(errors='replace').strip()}") from None

    def reports(self, name, commit, path):
        """The reports of a commit with a place in the file."""
        diagnostics, present = self.tree(name, commit)
        if path not in present:
            raise Unusable(f"no file {path} at {commit[:12]}")
        reports = [Report(diagnostic, path) for diagnostic in diagnostics]
        return [report for report in reports if report.places]


class Report:
    """A finding and its places in one file."""

    def __init__(self, diagnostic, path):
        self.code = diagnostic["code"]
        # Without the number that tells equal findings apart.
        self.fault = diagnostic["fingerprint"].partition(":")[0]
        places = [("", diagnostic["location"])]
        places += [("related ", place["location"]) for place in diagnostic["related"]]
        places += [("path ", step["location"]) for step in diagnostic["path"]]
        self.places = [
            (kind, place["startLine"], place["endLine"]) for kind, place in places if place["file"] == path
        ]

    def at(self, lines, slack=0, kinds=("", "related ", "path ")):
        """The first place within the lines, as words, or None."""
        for kind, start, end in self.places:
            if kind in kinds and any(start <= last + slack and end >= first - slack for first, last in lines):
                return f"{self.code} {kind}{start}"
        return None


def listed(reports, lines, slack=0):
    return ", ".join(sorted({words for report in reports if (words := report.at(lines, slack))}))


def judge_case(linter, row):
    """Verdict, what was reported, and the state of the fix."""
    repository = linter.repository(row["repo"])
    commit = repository.commit(row["commit"])
    path, lines, accept = row["path"], ranges(row["lines"]), set(row["accept"].split())
    reports = linter.reports(row["repo"], commit, path)
    right = [report for report in reports if report.code in accept]
    found = [report for report in right if report.at(lines)]
    if found:
        verdict, words = "found", listed(found, lines)
    elif listed(right, lines, NEAR):
        verdict, words = "near", listed(right, lines, NEAR)
    elif listed(reports, lines):
        verdict, words = "other", listed(reports, lines)
    else:
        verdict, words = "missed", ""
    if accept == {"*"}:
        verdict = "-"
    return verdict, words, fixed(linter, repository, row, commit, lines, accept, reports, found)


def fixed(linter, repository, row, commit, lines, accept, before, found):
    """What the commit of the fix still reports."""
    named = re.search(r"\bfix ([0-9a-f]{7,40})\b", row.get("fix_or_issue") or "")
    if not named:
        return "-"
    try:
        fix = repository.commit(named[1])
        after = linter.reports(row["repo"], fix, row["path"])
    except Unusable as reason:
        return f"? {reason}"
    moved = repository.carried(commit, fix, row["path"], lines)
    left = [report for report in after if report.code in accept and report.at(moved)]
    stands = listed(left, moved)
    faults = [collections.Counter(report.fault for report in side) for side in (before, after)]
    for report in found:
        if not stands and faults[1][report.fault] >= faults[0][report.fault]:
            stands = f"{report.code} elsewhere"
    if stands:
        return f"STANDS {stands}"
    return "gone" if found else "clean"


def asked_for(report, row, cases):
    """Whether a labelled fault of the same version of the file asks for the report where it stands."""
    return any(
        report.code in case["accept"].split() and report.at(ranges(case["lines"]), kinds=("",))
        for case in cases
        if all(case[column] == row[column] for column in ("repo", "commit", "path"))
    )


def judge_negative(linter, row, cases):
    """Verdict, reports in the lines, and reports elsewhere in the file."""
    commit = linter.repository(row["repo"]).commit(row["commit"])
    lines = ranges(row["lines"])
    reports = linter.reports(row["repo"], commit, row["path"])
    wrong = [
        report for report in reports if report.at(lines, kinds=("",)) and not asked_for(report, row, cases)
    ]
    through = [report for report in reports if report not in wrong and report.at(lines)]
    rest = [report for report in reports if report not in wrong and report not in through]
    whole = [(1, sys.maxsize)]
    return (
        "FAIL" if wrong else "silent",
        "; ".join(filter(None, (listed(wrong, lines), listed(through, lines)))),
        listed(rest, whole),
    )


def table(heading, body):
    """A Markdown table with its columns aligned."""
    cells = [[str(cell).replace("|", "\\|") for cell in line] for line in [heading, *body]]
    widths = [max(len(line[column]) for line in cells) for column in range(len(heading))]
    cells.insert(1, ["-" * width for width in widths])
    for line in cells:
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |")
    print()


def share(count):
    """How many of a hundred are found."""
    return 100 * count["found"] / max(1, count.total())


def arguments():
    parser = argparse.ArgumentParser(
        prog="corpus.sh", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("repositories", help="a folder of git repositories named OWNER+NAME")
    parser.add_argument("labels", help="a folder with cases.tsv and negatives.tsv")
    parser.add_argument("--only", metavar="ID", action="append", help="this row only; repeatable")
    parser.add_argument("--families", default="ABCDEFG", help="first letters of families [%(default)s]")
    parser.add_argument("--languages", default="C,C++", help="separated by commas [%(default)s]")
    parser.add_argument("--at-least", metavar="PERCENT", type=float, help="fail below this rate of found faults")
    parser.add_argument("--alarms-at-most", metavar="N", type=int, help="fail above this number of negatives")
    parser.add_argument("--standing-at-most", metavar="N", type=int, help="fail when more reports outlive the fix")
    parser.add_argument("--binary", default=os.environ.get("PIPELINT", "pipelint"), help=argparse.SUPPRESS)
    return parser.parse_args()


def main():
    options = arguments()
    languages = options.languages.split(",")

    def chosen(row, family=True):
        if options.only:
            return row["id"] in options.only
        return row["language"] in languages and (not family or row["family"][:1] in options.families)

    binary = os.path.abspath(options.binary) if os.sep in options.binary else options.binary
    linter = Linter(binary, options.repositories)
    unusable = []

    def judged(row, judge):
        try:
            return judge(linter, row)
        except Unusable as reason:
            unusable.append(row["id"])
            return "absent", " ".join(str(reason).split()), "-"

    labelled = rows(os.path.join(options.labels, "cases.tsv"))
    cases = [row for row in labelled if chosen(row)]
    negatives = [row for row in rows(os.path.join(options.labels, "negatives.tsv")) if chosen(row, family=False)]

    body, totals, standing = [], {}, 0
    for row in cases:
        verdict, words, fix = judged(row, judge_case)
        body.append((row["id"], row["family"], row["accept"], verdict, words, fix))
        if verdict != "-":
            totals.setdefault(row["family"], collections.Counter())[verdict] += 1
        standing += fix.startswith("STANDS")
    verdicts = ("found", "near", "other", "missed", "absent")
    whole = sum(totals.values(), collections.Counter())
    rate = share(whole)
    if body:
        table(("id", "family", "accepted", "verdict", "reported", "fixed version"), body)
        table(
            ("family", "rows", *verdicts, "found in 100"),
            [
                (name, count.total(), *(count[verdict] for verdict in verdicts), f"{share(count):.0f}")
                for name, count in [*sorted(totals.items()), ("all", whole)]
                if count
            ],
        )

    body, alarms = [], 0
    for row in negatives:
        verdict, words, rest = judged(row, lambda linter, row: judge_negative(linter, row, labelled))
        body.append((row["id"], row.get("naive_rule", ""), verdict, words, rest))
        alarms += verdict == "FAIL"
    if body:
        table(("negative", "looks like", "verdict", "reported in the lines", "elsewhere in the file"), body)
    print(
        f"{whole['found']} of {whole.total()} faults found ({rate:.0f} in 100), "
        f"{standing} reported in the fixed version; {alarms} of {len(negatives)} negatives reported"
    )

    sys.stdout.flush()

    problems = []
    if not cases and not negatives:
        problems.append("no row was selected")
    if unusable:
        problems.append("without sources: " + ", ".join(unusable))
    if options.at_least is not None and rate < options.at_least:
        problems.append(f"found {rate:.1f} in 100, asked for {options.at_least:g}")
    if options.alarms_at_most is not None and alarms > options.alarms_at_most:
        problems.append(f"{alarms} negatives reported, allowed {options.alarms_at_most}")
    if options.standing_at_most is not None and standing > options.standing_at_most:
        problems.append(f"{standing} reports outlive the fix, allowed {options.standing_at_most}")
    for problem in problems:
        print(problem, file=sys.stderr)
    if unusable or (not cases and not negatives):
        return 2
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
