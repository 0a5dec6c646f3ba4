// The place of the Why panel: when one arrives the focus moves to its verdict; closing empties the place, takes ?why= out of the
// address and hands the focus back to the button that asked.
customElements.define('why-slot', class extends HTMLElement {
  connectedCallback() {
    document.addEventListener('htmx:beforeRequest', this.onAsk = event => {
      if (event.detail.target === this) this.asker = event.detail.elt;
    });
    this.addEventListener('htmx:afterSwap', () => { this.mark(); this.querySelector('h2')?.focus(); });
    this.addEventListener('click', event => { if (event.target.closest('[data-why-close]')) this.close(event); });
    this.addEventListener('keydown', event => { if (event.key === 'Escape' && this.querySelector('.whyp')) this.close(event); });
  }

  disconnectedCallback() { document.removeEventListener('htmx:beforeRequest', this.onAsk); }

  mark() {
    for (const link of document.querySelectorAll('[data-why]')) {
      const isOpen = Boolean(this.querySelector('.whyp')) && link === this.asker;
      link.setAttribute('aria-expanded', String(isOpen));
      link.closest('.ev')?.classList.toggle('sel', isOpen);
    }
  }

  close(event) {
    event.preventDefault();
    this.replaceChildren();
    const address = new URL(location.href);
    address.searchParams.delete('why');
    history.replaceState(history.state, '', address);
    const back = this.asker ?? document.querySelector('[data-why][aria-expanded="true"]');
    this.mark();
    document.querySelectorAll('.ev.sel').forEach(row => row.classList.remove('sel'));
    back?.setAttribute('aria-expanded', 'false');
    back?.focus();
  }
});
