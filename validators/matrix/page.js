// SPDX-License-Identifier: Apache-2.0
// Filters, sorts and explains the cells of the page. The state is the fragment of the address, so that every view has a link.
(() => {
  'use strict';
  const data = JSON.parse(document.getElementById('data').textContent);
  const filters = document.getElementById('filters');
  const dialog = document.getElementById('details');
  const gpuTable = document.getElementById('gpu-table');
  const checkTable = document.getElementById('check-table');
  const keys = ['image', 'gpu', 'driver', 'state', 'basis', 'q'];

  const readState = () => new URLSearchParams(location.hash.includes('=') ? location.hash.slice(1) : '');
  function writeState(change) {
    const state = readState();
    for (const [key, value] of Object.entries(change)) {
      if (value) state.set(key, value); else state.delete(key);
    }
    const text = state.toString();
    history.replaceState(null, '', text ? '#' + text : location.pathname + location.search);
  }

  function element(name, text, className) {
    const node = document.createElement(name);
    if (text !== undefined) node.textContent = text;
    if (className) node.className = className;
    return node;
  }

  // ---- filters

  const field = (key) => filters.elements.namedItem(key);

  function showColumns(table, isShown) {
    for (const row of table.rows) {
      for (let at = 1; at < row.cells.length; ++at) row.cells[at].hidden = !isShown(at - 1);
    }
  }

  function applyFilters() {
    const wanted = Object.fromEntries(keys.map((key) => [key, field(key).value]));
    const words = wanted.q.toLowerCase().split(/\s+/).filter(Boolean);
    const isBranch = (at) => !wanted.driver || data.branches[at] === wanted.driver;
    showColumns(gpuTable, isBranch);
    let shown = 0;
    const rows = gpuTable.tBodies[0].rows;
    for (const row of rows) {
      const entry = data.rows[row.dataset.row];
      const cells = entry.cells.filter((_, at) => isBranch(at));
      const text = row.cells[0].textContent.toLowerCase();
      const fits = (!wanted.image || data.images[entry.image].anchor === wanted.image) &&
        (!wanted.gpu || entry.gpu === wanted.gpu) &&
        words.every((word) => text.includes(word)) &&
        cells.some((cell) => (!wanted.state || cell.works === wanted.state) && (!wanted.basis || cell.basis === wanted.basis));
      row.hidden = !fits;
      shown += fits ? 1 : 0;
    }
    gpuTable.classList.toggle('one-image', data.images.length === 1 || Boolean(wanted.image));
    document.getElementById('shown').textContent = `${shown} of ${rows.length} rows shown`;
    showColumns(checkTable, (at) => !wanted.image || data.images[at].anchor === wanted.image);
  }

  filters.addEventListener('submit', (event) => event.preventDefault());
  filters.addEventListener('input', () => {
    writeState(Object.fromEntries(keys.map((key) => [key, field(key).value])));
    applyFilters();
  });
  filters.addEventListener('reset', () => setTimeout(() => {
    writeState(Object.fromEntries(keys.map((key) => [key, ''])));
    applyFilters();
  }));

  // ---- sorting

  function sortTable(table, column, descending) {
    const body = table.tBodies[0];
    const value = (row) => Number(row.cells[column].dataset.sort);
    const rows = [...body.rows].sort((left, right) =>
      (descending ? value(right) - value(left) : value(left) - value(right)) || left.dataset.row - right.dataset.row);
    body.append(...rows);
    for (const head of table.tHead.rows[0].cells) head.removeAttribute('aria-sort');
    table.tHead.rows[0].cells[column].setAttribute('aria-sort', descending ? 'descending' : 'ascending');
  }

  for (const table of [gpuTable, checkTable]) {
    table.tHead.addEventListener('click', (event) => {
      const button = event.target.closest('button');
      if (!button) return;
      const head = button.closest('th');
      // What works is what most people look for, so the first click on a column of cells puts it on top.
      const descending = head.getAttribute('aria-sort') ? head.getAttribute('aria-sort') === 'ascending' : head.cellIndex > 0;
      sortTable(table, head.cellIndex, descending);
      const name = table === gpuTable ? 'sort' : 'sortchecks';
      writeState({[name]: head.cellIndex + (descending ? 'd' : 'a')});
    });
  }

  function applySort(table, text) {
    const match = /^(\d{1,3})([ad])$/.exec(text || '');
    if (match && Number(match[1]) < table.tHead.rows[0].cells.length) sortTable(table, Number(match[1]), match[2] === 'd');
  }

  // ---- details of one cell

  function line(label, text) {
    const item = element('p');
    item.append(element('span', label + ' ', 'note'), text);
    return item;
  }

  function explainGpu(parts) {
    const image = data.images.findIndex((one) => one.anchor === parts[0]);
    const row = data.rows.find((one) => one.image === image && one.gpu === parts[1]);
    const at = data.branches.indexOf(parts[2]);
    if (!row || at < 0) return null;
    const cell = row.cells[at];
    const body = [line('image', data.images[image].name)];
    const state = element('p');
    state.append(element('span', cell.works + (cell.basis === 'none' ? '' : ', ' + cell.basis), 'cell state ' + cell.look));
    body.push(state);
    if (cell.from) body.push(line('holds', 'from driver ' + cell.from + ' on'));
    if (cell.tested) body.push(line('tested', cell.tested));
    body.push(element('h3', 'Why'));
    const list = element('ol');
    for (const index of cell.reasons) {
      const reason = data.reasons[index];
      const item = element('li');
      item.append(element('b', reason.rule), ': ' + reason.fact + ' ',
        element('span', '(' + reason.source + (reason.evidence ? ', evidence ' + reason.evidence : '') + ')', 'note'));
      list.append(item);
    }
    body.push(list);
    return {title: parts[1] + ' under ' + parts[2], body};
  }

  function explainCheck(parts) {
    const image = data.images.findIndex((one) => one.anchor === parts[1]);
    const check = data.checks.find((one) => one.id === parts[0]);
    if (!check || image < 0) return null;
    const cell = check.cells[image];
    const body = [line('image', data.images[image].name)];
    if (check.title) body.push(line('check', check.title));
    if (check.rule) body.push(line('rule', check.rule));
    if (cell.length === 0) body.push(element('p', 'No report says anything about it: it was not run.'));
    const list = element('ol');
    for (const said of cell) {
      const report = data.reports[said.report];
      const item = element('li');
      item.append(element('b', said.status + (said.simulated ? ' (a stand-in answered)' : '')), ': ' + said.line + ' ',
        element('span', '(' + report.started + ', ' + report.machine + ', ' + report.file + ')', 'note'));
      list.append(item);
    }
    body.push(list);
    return {title: check.id, body};
  }

  function openDetails(state) {
    const text = state.get('cell') || state.get('check');
    const found = text && (state.get('cell') ? explainGpu : explainCheck)(text.split('~'));
    if (!found) {
      if (dialog.open) dialog.close();
      return;
    }
    document.getElementById('details-title').textContent = found.title;
    document.getElementById('details-body').replaceChildren(...found.body);
    if (!dialog.open) dialog.showModal();
  }

  document.addEventListener('click', (event) => {
    const link = event.target.closest('a.cell');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const change = new URLSearchParams(link.hash.slice(1));
    writeState({cell: change.get('cell'), check: change.get('check')});
    openDetails(readState());
  });
  document.getElementById('close').addEventListener('click', () => dialog.close());
  dialog.addEventListener('close', () => writeState({cell: '', check: ''}));
  dialog.addEventListener('click', (event) => { if (event.target === dialog) dialog.close(); });

  // ---- from the address to the page

  function applyState() {
    const state = readState();
    for (const key of keys) field(key).value = state.get(key) || '';
    // A choice that this page does not have would hide everything without a word.
    for (const key of keys) if (field(key).selectedIndex === -1) field(key).value = '';
    applySort(gpuTable, state.get('sort'));
    applySort(checkTable, state.get('sortchecks'));
    applyFilters();
    openDetails(state);
  }
  filters.hidden = false;
  window.addEventListener('hashchange', applyState);
  applyState();
})();
