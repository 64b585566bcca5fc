/**
 * Cuts a text into words.
 * @param isStart whether the text begins where the caller's text does, which one kind of Metaspace needs
 */
export type PreTokenizer = (text: string, isStart: boolean) => readonly string[];
