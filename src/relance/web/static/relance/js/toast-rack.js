// Short good news. Leaves after 6 s (30 s when it can be undone), never while hovered or focused.
// The server may send one with a header: HX-Trigger: {"toast": {"text": "Task skipped", "undo": "/tasks/4/undo"}}.
customElements.define('toast-rack', class extends HTMLElement {
  connectedCallback() {
    for (const toast of this.querySelectorAll('.toast')) this.watch(toast);
    document.addEventListener('toast', this.onToast = event => this.show(event.detail));
  }

  disconnectedCallback() { document.removeEventListener('toast', this.onToast); }

  show({ text, undo }) {
    const toast = this.querySelector('template').content.firstElementChild.cloneNode(true);
    toast.querySelector('span').textContent = text;
    const form = toast.querySelector('form');
    if (undo) form.action = undo; else form.remove();
    this.append(toast);
    this.watch(toast);
  }

  watch(toast) {
    const button = toast.querySelector('[data-undoes]');
    let left = button ? 30 : 6;
    const shown = button && Object.assign(document.createElement('span'), { className: 'left' });
    shown?.setAttribute('aria-hidden', 'true');
    if (shown) button.append(shown);
    const tick = () => {
      if (!toast.isConnected) return clearInterval(clock);
      if (toast.matches(':hover, :focus-within')) return undefined;
      left -= 1;
      if (shown) shown.textContent = ` ${left} s`;
      return left > 0 ? undefined : toast.remove();
    };
    const clock = setInterval(tick, 1000);
  }
});
