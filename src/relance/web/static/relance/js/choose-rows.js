// <choose-rows> around a table of checkboxes and its bulk bar: counts, selects a range with Shift, selects all that the filters
// match. Without script the boxes and the form's buttons still work; the bar is then always shown by <noscript> styles.
customElements.define('choose-rows', class extends HTMLElement {
  connectedCallback() {
    this.bar = this.querySelector('[data-bulk]');
    this.head = this.querySelector('[data-choose-all]');
    this.addEventListener('click', event => this.onClick(event));
    this.addEventListener('change', () => this.show());
    this.show();
  }

  get boxes() { return [...this.querySelectorAll('[data-row] input[type="checkbox"]')]; }

  onClick(event) {
    const target = event.target;
    if (target === this.head) this.set(this.head.checked);
    else if (target.closest('[data-none]')) this.set(false);
    else if (target.closest('[data-all]')) { this.set(true); this.all(target.closest('[data-all]').dataset); return; }
    else if (target.matches('[data-row] input[type="checkbox"]')) {
      if (event.shiftKey && this.last) this.range(this.last, target);
      this.last = target;
    }
    this.show();
  }

  range(from, to) {
    const boxes = this.boxes, [first, end] = [boxes.indexOf(from), boxes.indexOf(to)].sort((a, b) => a - b);
    for (const box of boxes.slice(first, end + 1)) box.checked = to.checked;
  }

  set(checked) { for (const box of this.boxes) box.checked = checked; }

  all({ all, allSaid }) {
    this.show();
    this.bar.querySelector('[name="all"]').value = all;
    this.say(allSaid);
  }

  show() {
    const chosen = this.boxes.filter(box => box.checked);
    for (const box of this.boxes) box.closest('[data-row]').classList.toggle('on', box.checked);
    if (this.head) {
      this.head.checked = chosen.length > 0 && chosen.length === this.boxes.length;
      this.head.indeterminate = chosen.length > 0 && !this.head.checked;
    }
    if (!this.bar) return;
    this.bar.hidden = !chosen.length;
    this.bar.querySelector('[name="all"]').value = '';
    this.say(String(chosen.length));
  }

  say(count) {
    const place = this.bar.querySelector('[data-count]');
    place.textContent = place.dataset.count.replace('%(count)s', count);
  }
});
