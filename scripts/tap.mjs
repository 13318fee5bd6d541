// Reads what ava prints with --tap, line by line, and counts. `onFailure` gets each failure in full.

/**
 * @param {(text: string) => void} onFailure
 * @returns an object with `line(text)`; `counts`, so far; and `end()`, the counts at the end with `complete`: whether the
 *   plan line came, without which the runner stopped in the middle
 */
export function createTapReader(onFailure) {
  let passed = 0;
  let failed = 0;
  let complete = false;
  const skipped = [];
  /** Lines of the failure being read: the `not ok` line and its details. */
  let failure = [];

  const flush = () => {
    if (failure.length > 0) onFailure(failure.join('\n'));
    failure = [];
  };

  const result = (ok, title) => {
    const mark = / # (SKIP|TODO)\b.*$/.exec(title);
    if (mark !== null) {
      const name = title.slice(0, mark.index);
      skipped.push(mark[1] === 'TODO' ? `${name} [skipped: not written yet]` : name);
    } else if (ok) {
      passed += 1;
    } else {
      failed += 1;
      failure = [`FAILED ${title}`];
    }
  };

  /** A file that ended early leaves tests behind that never ran: they did not pass. */
  const remaining = (count, file) => {
    failed += count;
    onFailure(`FAILED ${count} ${count === 1 ? 'test' : 'tests'} of ${file} did not run`);
  };

  return {
    line(text) {
      const test = /^(not )?ok \d+ - (.*)$/.exec(text);
      const left = /^# (\d+) tests? remaining in (.*)$/.exec(text);
      if (test !== null || left !== null || /^1\.\.\d+$/.test(text)) flush();
      if (test !== null) result(test[1] === undefined, test[2]);
      else if (left !== null) remaining(Number(left[1]), left[2]);
      else if (/^1\.\.\d+$/.test(text)) complete = true;
      else if (failure.length > 0) failure.push(text);
    },
    get counts() {
      return { passed, failed, skipped };
    },
    end() {
      flush();
      return { passed, failed, skipped, complete };
    },
  };
}

/** `3 passed, 0 failed`, and what was skipped when anything was. */
export function countsText({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped.length === 0 ? '' : `, ${skipped.length} skipped`}`;
}
