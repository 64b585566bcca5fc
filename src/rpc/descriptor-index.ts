import { createFileRegistry, type DescExtension, type FileRegistry, fromBinary } from '@bufbuild/protobuf';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';

/** `file` of google.protobuf.FileDescriptorSet. */
const fileField = 1;

/** A file of a descriptor set: its bytes as the compiler wrote them, comments and options included. */
export interface IndexedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly dependencies: readonly string[];
}

/** Finds the files of a FileDescriptorSet by name, by symbol and by extension. */
export class DescriptorIndex {
  readonly #files = new Map<string, IndexedFile>();
  readonly #fileOfSymbol = new Map<string, string>();
  readonly #extensions = new Map<string, Map<number, string>>();

  /** @throws Error when the bytes are no descriptor set, or lack an imported file */
  constructor(descriptorSet: Uint8Array) {
    const set = fromBinary(FileDescriptorSetSchema, descriptorSet);
    const raw = rawFiles(descriptorSet);
    for (const [position, file] of set.file.entries()) {
      const bytes = raw[position];
      if (bytes !== undefined) {
        this.#files.set(file.name, { name: file.name, bytes, dependencies: file.dependency });
      }
    }
    this.#indexSymbols(createFileRegistry(set));
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

  #indexSymbols(registry: FileRegistry): void {
    for (const type of registry) {
      const file = type.file.proto.name;
      const add = (name: string): unknown => this.#fileOfSymbol.set(name, file);
      add(type.typeName);
      switch (type.kind) {
        case 'message':
          for (const member of [...type.fields, ...type.oneofs]) add(`${type.typeName}.${member.name}`);
          if (!this.#extensions.has(type.typeName)) this.#extensions.set(type.typeName, new Map());
          break;
        case 'enum':
          // The values of an enum are its siblings, not its members.
          for (const value of type.values) add(siblingName(type.typeName, value.name));
          break;
        case 'service':
          for (const method of type.methods) add(`${type.typeName}.${method.name}`);
          break;
        case 'extension':
          this.#addExtension(type, file);
      }
    }
  }

  #addExtension({ extendee, number }: DescExtension, file: string): void {
    const numbers = this.#extensions.get(extendee.typeName) ?? new Map<number, string>();
    this.#extensions.set(extendee.typeName, numbers.set(number, file));
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

function siblingName(typeName: string, name: string): string {
  return typeName.slice(0, typeName.lastIndexOf('.') + 1) + name;
}
