// Ctrl/Cmd K. The server finds; this moves the selection and follows it. Without script, the search box is a link to /palette.
customElements.define('command-palette', class extends HTMLElement {
  connectedCallback() {
    this.dialog = this.querySelector('dialog');
    this.input = this.querySelector('input[type="search"]');
    this.found = this.querySelector('.found');
    document.addEventListener('keydown', this.onShortcut = event => {
      if (!(event.ctrlKey || event.metaKey) || event.altKey || event.key.toLowerCase() !== 'k') return;
      event.preventDefault();
      if (this.dialog.open) this.dialog.close(); else this.open();
    });
    this.dialog.addEventListener('opened', () => this.begin());
    this.input.addEventListener('keydown', event => this.onKey(event));
    this.found.addEventListener('htmx:afterSwap', () => this.choose(0));
    this.found.addEventListener('click', event => this.onClick(event));
  }

  disconnectedCallback() { document.removeEventListener('keydown', this.onShortcut); }

  get options() { return [...this.found.querySelectorAll('a[role="option"]')]; }

  open() {
    for (const dialog of document.querySelectorAll('dialog[open]')) dialog.close();
    this.dialog.showModal();
    this.begin();
  }

  begin() {
    this.querySelector('#palette-subject').value = document.body.dataset.subject.trim();
    this.input.value = '';
    this.input.focus();
    this.input.dispatchEvent(new CustomEvent('opened'));
  }

  choose(place) {
    const options = this.options;
    if (!options.length) { this.input.removeAttribute('aria-activedescendant'); return; }
    const at = (place + options.length) % options.length;
    options.forEach((option, index) => option.setAttribute('aria-selected', String(index === at)));
    options[at].scrollIntoView({ block: 'nearest' });
    this.input.setAttribute('aria-activedescendant', options[at].id);
  }

  onKey(event) {
    const at = this.options.findIndex(option => option.getAttribute('aria-selected') === 'true');
    const moves = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 };
    if (event.key in moves && !(this.input.value && ['Home', 'End'].includes(event.key))) {
      event.preventDefault();
      this.choose(moves[event.key]);
    } else if (event.key === 'Enter') {
      event.preventDefault();
      this.options[at]?.click();
    } else if (event.key === 'Escape') { // a search box would first empty itself
      event.preventDefault();
      this.dialog.close();
    }
  }

  // An entry that acts is a link with data-post: it is posted with the token, never fetched.
  onClick(event) {
    const entry = event.target.closest('a[data-post]');
    if (!entry) return;
    event.preventDefault();
    const form = Object.assign(document.createElement('form'), { method: 'post', action: entry.href });
    form.append(Object.assign(document.createElement('input'),
      { type: 'hidden', name: 'csrfmiddlewaretoken', value: document.querySelector('meta[name="csrf-token"]').content }));
    document.body.append(form);
    form.submit();
  }
});
