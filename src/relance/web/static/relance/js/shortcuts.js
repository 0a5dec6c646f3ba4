// Single letters: G then a place, / filters, ? shows the sheet, W asks why, Z undoes. Ignored while typing, off by a setting of
// the user. Each has a visible control, which this clicks: no shortcut does what the mouse cannot.
(() => {
  const typing = target => target.closest?.('input:not([type="checkbox"], [type="radio"]), textarea, select, [contenteditable="true"]');
  let waitingForPlace = 0;

  const press = element => { if (!element) return false; element.focus?.(); element.click(); return true; };
  const last = list => list[list.length - 1];

  const acts = {
    '/': () => { const box = document.querySelector('[data-filter-box]'); box?.focus(); box?.select?.(); return Boolean(box); },
    '?': () => { const sheet = document.getElementById('keys'); if (!sheet) return false; sheet.showModal(); return true; },
    w: () => press(document.querySelector('[data-row][aria-selected="true"] [data-why], tr.at [data-why], .at [data-why]')
      ?? document.querySelector('[data-why-here], main [data-why]')),
    z: () => press(last(document.querySelectorAll('[data-undoes]'))),
  };

  document.addEventListener('keydown', event => {
    if (document.body.dataset.shortcuts !== 'on' || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (typing(event.target) || document.querySelector('dialog[open]')) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (Date.now() < waitingForPlace) {
      waitingForPlace = 0;
      if (press(document.querySelector(`[data-go="${CSS.escape(key)}"]`))) event.preventDefault();
      return;
    }
    if (key === 'g') { waitingForPlace = Date.now() + 1500; return; }
    if (acts[key]?.()) event.preventDefault();
  });
})();
