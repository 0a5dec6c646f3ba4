// Copies its text, or the full address of its link, and says so in place and to screen readers.
customElements.define('copy-button', class extends HTMLElement {
  connectedCallback() { this.addEventListener('click', () => this.copy()); }

  async copy() {
    const { link, text, done } = this.dataset;
    const label = this.querySelector('button span');
    await navigator.clipboard.writeText(link ? new URL(link, location.href).href : text);
    this.said ??= label.textContent;
    label.textContent = done;
    const voice = document.getElementById('said');
    if (voice) voice.textContent = done;
    clearTimeout(this.back);
    this.back = setTimeout(() => { label.textContent = this.said; }, 2000);
  }
});
