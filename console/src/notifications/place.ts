/**
 * The page that a notification's `action_url` names. The API uses the paths of v1's pages, which
 * are ours too; whatever is no such path leads to the list instead of out of the console.
 */
const PLACES = [/^\/training\/jobs\/[\w-]+$/, /^\/models\/[\w-]+$/, /^\/datasets\/[\w-]+$/];

export const placeOf = (actionUrl: string): string =>
  PLACES.some((place) => place.test(actionUrl)) ? actionUrl : "/notifications";
