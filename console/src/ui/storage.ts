/** Small preferences kept in the browser; a browser that refuses storage simply forgets. */
export function recall(name: string): string | null {
  try {
    return localStorage.getItem(`carloop.${name}`);
  } catch {
    return null;
  }
}

export function remember(name: string, value: string) {
  try {
    localStorage.setItem(`carloop.${name}`, value);
  } catch {
    return;
  }
}
