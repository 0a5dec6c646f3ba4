// Every htmx request carries the CSRF token, and one that fails says so in words: errors are never silent.
(() => {
  const token = () => document.querySelector('meta[name="csrf-token"]')?.content ?? '';
  const say = text => { const place = document.getElementById('said'); if (place) { place.textContent = ''; requestAnimationFrame(() => { place.textContent = text; }); } };

  document.addEventListener('htmx:configRequest', event => {
    if (event.detail.verb !== 'get') event.detail.headers['X-CSRFToken'] = token();
  });

  // The server announces results by a header: HX-Trigger: {"said": "128 sent again"}.
  document.addEventListener('said', event => say(event.detail.value ?? event.detail));

  const complain = text => {
    const callout = document.createElement('div');
    callout.className = 'callout bad';
    callout.setAttribute('role', 'alert');
    callout.id = 'trouble';
    const words = document.createElement('div');
    const line = document.createElement('p');
    line.textContent = text;
    words.append(line);
    callout.append(words);
    document.getElementById('trouble')?.remove();
    (document.querySelector('.sheet .body') ?? document.querySelector('.sheet .pane') ?? document.getElementById('main')).prepend(callout);
    callout.scrollIntoView({ block: 'nearest' });
  };

  document.addEventListener('htmx:sendError', () => complain(document.body.dataset.offline));
  document.addEventListener('htmx:responseError', event => complain(
    event.detail.xhr.status === 403 ? document.body.dataset.refused
      : event.detail.xhr.status === 503 ? document.body.dataset.restarting : document.body.dataset.failed));
  // A part that refreshes by itself never takes away what one is typing in or standing on.
  document.addEventListener('htmx:beforeSwap', event => {
    document.getElementById('trouble')?.remove();
    const { target, requestConfig } = event.detail;
    if (!requestConfig.triggeringEvent && target.contains(document.activeElement)) event.detail.shouldSwap = false;
  });

  // Old content stays and dims after 300 ms; a region that refreshes by itself never dims.
  document.addEventListener('htmx:beforeRequest', event => {
    const { target, requestConfig } = event.detail;
    if (requestConfig.triggeringEvent?.isTrusted) event.detail.xhr.dim = setTimeout(() => target?.classList.add('waiting'), 300);
  });
  document.addEventListener('htmx:afterRequest', event => {
    clearTimeout(event.detail.xhr.dim);
    event.detail.target?.classList.remove('waiting');
  });
})();
