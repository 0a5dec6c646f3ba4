// Changes the theme at once and saves it behind; without script the form posts and the page comes back in the new theme.
customElements.define('theme-switch', class extends HTMLElement {
  connectedCallback() { this.closest('form')?.addEventListener('submit', event => this.change(event)); }

  change(event) {
    const button = event.submitter;
    if (!button) return;
    event.preventDefault();
    const theme = button.hasAttribute('data-toggles') ? this.other() : button.value;
    const root = document.documentElement;
    if (theme === 'system') delete root.dataset.theme; else root.dataset.theme = theme;
    for (const choice of document.querySelectorAll('theme-switch [aria-pressed]')) choice.setAttribute('aria-pressed', String(choice.value === theme));
    const answers = new FormData(event.target);
    answers.set('theme', theme);
    fetch(event.target.action, { method: 'POST', body: answers, headers: { 'HX-Request': 'true' } });
  }

  other() {
    const said = document.documentElement.dataset.theme;
    const isDark = said ? said === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
    return isDark ? 'light' : 'dark';
  }
});
