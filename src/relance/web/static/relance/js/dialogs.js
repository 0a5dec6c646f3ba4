// data-opens="ID" opens a <dialog>, data-closes closes the one it is in; a .menu closes on Escape and on a click outside.
// <dialog> gives the focus trap and hands the focus back; this only connects the buttons.
(() => {
  const open = id => {
    const dialog = document.getElementById(id);
    if (dialog instanceof HTMLDialogElement && !dialog.open) {
      dialog.showModal();
      dialog.dispatchEvent(new CustomEvent('opened'));
    }
    return dialog;
  };

  document.addEventListener('click', event => {
    const opener = event.target.closest('[data-opens]');
    if (opener && document.getElementById(opener.dataset.opens)) {
      event.preventDefault();
      opener.closest('details.menu')?.removeAttribute('open');
      open(opener.dataset.opens);
    }
    if (event.target.closest('[data-closes]')) event.target.closest('dialog')?.close();
    if (event.target instanceof HTMLDialogElement && event.target.open) event.target.close(); // a click on the scrim
    for (const menu of document.querySelectorAll('details.menu[open]')) if (!menu.contains(event.target)) menu.open = false;
  });

  document.addEventListener('keydown', event => {
    if (event.key !== 'Escape') return;
    const menu = event.target.closest?.('details.menu[open]') ?? document.querySelector('details.menu[open]');
    if (!menu) return;
    menu.open = false;
    menu.querySelector('summary').focus();
    event.stopPropagation();
  });

  // ?open=ID in the address opens a dialog, so that a link can point at it.
  const asked = new URLSearchParams(location.search).get('open');
  if (asked) open(asked);
})();
