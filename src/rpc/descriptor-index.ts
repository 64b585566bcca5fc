import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import type {
  DescriptorProto,
  EnumDescriptorProto,
  FieldDescriptorProto,
  FileDescriptorProto,
  FileDescriptorSet,
} from '../../generated/google/protobuf/descriptor.js';

/** `file` of google.protobuf.FileDescriptorSet. */
const fileField = 1;

/** A file of a descriptor set: its bytes as the compiler wrote them, comments and options included. */
export interface IndexedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly dependencies: readonly string[];
}

/**
 * Finds the files of a FileDescriptorSet by name, by symbol and by extension. Reads the generated messages itself: the
 * registry of @bufbuild/protobuf does the same at a tenth of a second of every start.
 */
export class DescriptorIndex {
  readonly #files = new Map<string, IndexedFile>();
  readonly #fileOfSymbol = new Map<string, string>();
  readonly #extensions = new Map<string, Map<number, string>>();

  /**
   * @param set the same, decoded
   * @throws Error when the bytes lack an imported file
   */
  constructor(descriptorSet: Uint8Array, set: FileDescriptorSet) {
    const raw = rawFiles(descriptorSet);
    for (const [position, { name = '', dependency }] of set.file.entries()) {
      const bytes = raw[position];
      if (bytes !== undefined) this.#files.set(name, { name, bytes, dependencies: dependency });
    }
    for (const file of set.file) this.#indexFile(file);
  }

  file(name: string): IndexedFile | undefined {
    return this.#files.get(name);
  }

  /** The file that declares a message, enum, service, extension, or a field, value or method of one. */
  fileOfSymbol(name: string): IndexedFile | undefined {
    return this.file(this.#fileOfSymbol.get(name) ?? '');
  }

  fileOfExtension(containingType: string, number: number): IndexedFile | undefined {
    return this.file(this.#extensions.get(containingType)?.get(number) ?? '');
  }

  /** Undefined where there is no such message. */
  extensionNumbers(containingType: string): number[] | undefined {
    const numbers = this.#extensions.get(containingType);
    return numbers === undefined ? undefined : [...numbers.keys()];
  }

  #indexFile(file: FileDescriptorProto): void {
    const { name = '', package: scope = '', dependency } = file;
    const missing = dependency.find((imported) => !this.#files.has(imported));
    if (missing !== undefined) throw new Error(`the descriptor set lacks ${missing}, which ${name} imports`);
    for (const message of file.messageType) this.#addMessage(message, scope, name);
    for (const type of file.enumType) this.#addEnum(type, scope, name);
    for (const extension of file.extension) this.#addExtension(extension, scope, name);
    for (const service of file.service) {
      const serviceName = this.#add(scope, service.name, name);
      for (const method of service.method) this.#add(serviceName, method.name, name);
    }
  }

  #addMessage(message: DescriptorProto, scope: string, file: string): void {
    const typeName = this.#add(scope, message.name, file);
    if (!this.#extensions.has(typeName)) this.#extensions.set(typeName, new Map());
    for (const member of [...message.field, ...message.oneofDecl]) this.#add(typeName, member.name, file);
    for (const nested of message.nestedType) this.#addMessage(nested, typeName, file);
    for (const type of message.enumType) this.#addEnum(type, typeName, file);
    for (const extension of message.extension) this.#addExtension(extension, typeName, file);
  }

  /** The values of an enum are its siblings, not its members. */
  #addEnum(type: EnumDescriptorProto, scope: string, file: string): void {
    for (const { name } of [type, ...type.value]) this.#add(scope, name, file);
  }

  #addExtension(
    { name, number = 0, extendee = '' }: FieldDescriptorProto,
    scope: string,
    file: string,
  ): void {
    this.#add(scope, name, file);
    // Names of types begin with a dot when they are complete, which is how compilers write them.
    const containingType = extendee.slice(1);
    const numbers = this.#extensions.get(containingType) ?? new Map<number, string>();
    this.#extensions.set(containingType, numbers.set(number, file));
  }

  /** Returns the full name. */
  #add(scope: string, name: string | undefined, file: string): string {
    const fullName = scope === '' ? String(name) : `${scope}.${name}`;
    this.#fileOfSymbol.set(fullName, file);
    return fullName;
  }
}

/** The serialized files of a set, in order, byte for byte. */
function rawFiles(descriptorSet: Uint8Array): Uint8Array[] {
  const files: Uint8Array[] = [];
  const reader = new BinaryReader(descriptorSet);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === fileField && wireType === WireType.LengthDelimited) files.push(reader.bytes());
    else reader.skip(wireType, field);
  }
  return files;
}
