// <list-keys> around a list or a table: J K and arrows move, Enter opens, X selects (Shift X extends). A row is [data-row]; its
// link is [data-open] or the first link in it, its box the checkbox in it. The row one is on has the class "at".
customElements.define('list-keys', class extends HTMLElement {
  connectedCallback() {
    document.addEventListener('keydown', this.onKey = event => this.act(event));
    this.addEventListener('focusin', event => { const row = event.target.closest('[data-row]'); if (row) this.mark(row); });
  }

  disconnectedCallback() { document.removeEventListener('keydown', this.onKey); }

  get rows() { return [...this.querySelectorAll('[data-row]')]; }

  get at() { return this.querySelector('[data-row].at') ?? this.querySelector('[data-row][aria-selected="true"], [data-row][aria-current="true"]'); }

  act(event) {
    const letters = document.body.dataset.shortcuts === 'on';
    const inside = this.contains(event.target);
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return;
    if (event.target.closest?.('input:not([type="checkbox"], [type="radio"]), textarea, select, [contenteditable="true"]')) return;
    const step = { j: 1, k: -1, ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && (letters && event.key.length === 1 || inside && event.key.startsWith('Arrow'))) this.move(step, event);
    else if (event.key.toLowerCase() === 'x' && letters) this.tick(event);
    else if (event.key === 'Enter' && this.at && !event.target.closest?.('a, button, summary, input')) this.link(this.at)?.click();
  }

  move(step, event) {
    const rows = this.rows;
    if (!rows.length) return;
    event.preventDefault();
    const at = rows.indexOf(this.at);
    const row = rows[Math.min(Math.max(at + step, 0), rows.length - 1)];
    this.mark(row);
    row.scrollIntoView({ block: 'nearest' }); // only by keys: scrolling under a pressed mouse would move the click
    (row.matches('a, [tabindex]') ? row : this.link(row) ?? row.querySelector('input, button'))?.focus({ preventScroll: true });
    if (this.hasAttribute('data-opens-as-it-goes')) this.link(row)?.click();
  }

  mark(row) { for (const other of this.rows) other.classList.toggle('at', other === row); }

  link(row) { return row.matches('a') ? row : row.querySelector('[data-open]') ?? row.querySelector('a:not([data-why])'); }

  tick(event) {
    const box = this.at?.querySelector('input[type="checkbox"]');
    if (!box) return;
    event.preventDefault();
    box.dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true, shiftKey: event.shiftKey }));
  }
});
