/** What is used of posix-getopt, which has no types of its own. */
declare module 'posix-getopt' {
  namespace getopt {
    interface Option {
      readonly option: string;
      readonly optarg?: string;
      readonly optopt?: string;
      readonly error?: true;
    }
    class BasicParser {
      constructor(options: string, argv: string[], index: number);
      getopt(): Option | undefined;
      optind(): number;
    }
  }
  export default getopt;
}
