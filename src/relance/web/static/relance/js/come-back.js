// On the page that says the database is restarting: asks every five seconds and loads the page again when it answers.
customElements.define('come-back', class extends HTMLElement {
  connectedCallback() { this.clock = setInterval(() => this.ask(), 5000); }

  disconnectedCallback() { clearInterval(this.clock); }

  async ask() {
    const answer = await fetch(location.href, { headers: { Accept: 'text/html' } }).catch(() => null);
    if (answer && answer.status < 500) location.assign(location.href);
  }
});
