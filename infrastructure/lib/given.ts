// What of an object is given: a prop that is undefined is one that was left out, and must not put a default out.

export function given<T extends object>(props: T | undefined): Given<T> {
  return Object.fromEntries(Object.entries(props ?? {}).filter(([, value]) => value !== undefined)) as Given<T>;
}

type Given<T> = { [Name in keyof T]?: Exclude<T[Name], undefined> };
