// In a form with one Save button: says that changes are not saved, and asks before one leaves with them.
customElements.define('dirty-guard', class extends HTMLElement {
  connectedCallback() {
    const form = this.form = this.closest('form');
    if (!form) return;
    this.before = this.answers();
    form.addEventListener('input', () => this.say());
    form.addEventListener('change', () => this.say());
    form.addEventListener('submit', () => { this.leaving = true; });
    addEventListener('beforeunload', this.onLeave = event => { if (this.isDirty && !this.leaving) event.preventDefault(); });
  }

  disconnectedCallback() { removeEventListener('beforeunload', this.onLeave); }

  answers() { return JSON.stringify([...new FormData(this.form)].map(([name, value]) => [name, value.name ?? value])); }

  get isDirty() { return this.form && this.answers() !== this.before; }

  say() {
    const place = this.form.querySelector('.dirty-note');
    if (place) place.textContent = this.isDirty ? this.dataset.warning : '';
  }
});
