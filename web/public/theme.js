// Sets the chosen theme before anything is painted. The system's is the default.
try {
  var theme = localStorage.getItem('secmon.theme');
  if (theme === 'dark' || theme === 'light') document.documentElement.dataset.theme = theme;
} catch (_) {}
